// From where to where: a field for each pair of provinces, and the carriers of the one that is chosen.
import { ask, askOnce } from '../api.js';
import * as catalog from '../catalog.js';
import { chart, isDark } from '../charts.js';
import { h } from '../dom.js';
import { linked } from '../figures.js';
import { filters } from '../filters.js';
import { count, hours, percent } from '../format.js';
import { t } from '../i18n.js';
import { isYoung, league, SOUND_RATE, tooYoung } from '../league.js';
import { panel } from '../panel.js';
import { table } from '../table.js';
import { address, choose, get } from '../url.js';
import { distribution } from './transit.js';

// What a field can show: the column, how it is written, whether less is better, and from which parcels it is made.
const METRICS = {
  p50: { key: 'p50_hours', shown: hours, low: true, sound: (row) => row.is_p50_sound },
  p90: { key: 'p90_hours', shown: hours, low: true, sound: (row) => row.is_p90_sound },
  on_time: { key: 'on_time_rate', shown: percent, sound: (row) => row.sla_due >= SOUND_RATE },
  within_72h: { key: 'rate_72h', shown: percent, sound: (row) => row.due_72h >= SOUND_RATE },
  exception: { key: 'exception_rate', shown: percent, low: true, sound: (row) => row.settled >= SOUND_RATE },
  parcels: { key: 'parcels', shown: count, sound: () => true },
};

// The figures of a lane whose parcels can be listed.
const LISTED = { parcels: 'parcels', within_72h: 'late_72h', on_time: 'not_on_time', exception: 'exception' };

// What a row says: a number, that so many parcels never arrive (a fact about a cohort that is old enough, and only "not yet"
// about a young one), or nothing, for want of parcels.
function answers(row, key, sound) {
  if (!sound(row)) return 'few';
  if (isYoung(row, key)) return 'young';
  if (row[key] !== null) return 'known';
  return row.is_mature ? 'never' : 'young';
}

const metric = () => (get('metric') in METRICS ? get('metric') : 'p50');

export default {
  without: [],
  show() {
    const asked = filters();
    const load = askOnce('lanes', asked);
    if (asked.origin && asked.dest) return lane(asked);
    return [
      panel({ title: t('lanes.map'), note: t('lanes.map.note'), size: 'huge', tools: picker(), load, show: map }),
      get('map') ? chinaPanel(asked) : h('section', { class: 'panel', 'data-state': 'ready' }, h('div', { class: 'head' },
        h('div', {}, h('h2', {}, t('china')), h('p', { class: 'note' }, t('china.note'))),
        h('button', { type: 'button', class: 'main', onclick: () => choose({ map: '1' }) }, t('china.open')))),
      panel({ title: t('lanes.list'), size: 'large', load, show: list, csv: { path: 'lanes', parameters: asked } }),
    ];
  },
};

// One lane: like is compared with like.
function lane(asked) {
  return [
    panel({
      title: t('lanes.carriers', { origin: catalog.province(asked.origin), dest: catalog.province(asked.dest) }), note: t('league.note'), size: 'middle', csv: { path: 'scorecard', parameters: asked },
      tools: h('a', { class: 'button', href: address('lanes', { origin: '', dest: '' }), 'data-view': true }, t('lanes.back')),
      load: (signal) => ask('scorecard', asked, signal), show: ({ rows }) => league(rows),
    }),
    panel({ title: t('cdf'), note: t('cdf.note'), size: 'large', csv: { path: 'transit', parameters: asked }, load: (signal) => ask('transit', asked, signal), show: distribution }),
  ];
}

function picker() {
  return h('label', { class: 'field inline' }, h('span', { class: 'label' }, t('metric')),
    h('select', { name: 'metric', onchange: (event) => choose({ metric: event.target.value === 'p50' ? '' : event.target.value }) },
      Object.keys(METRICS).map((name) => h('option', { value: name, selected: name === metric() }, t(`metric.${name}`)))));
}

const place = (code) => (code ? catalog.province(code) : t('unknown.province'));

function map({ rows }, body) {
  const { key, shown, low, sound } = METRICS[metric()];
  const sorted = (codes) => [...new Set(codes)].sort((a, b) => (a === '') - (b === '') || a.localeCompare(b));
  const origins = sorted(rows.map((row) => row.origin)).reverse();
  const dests = sorted(rows.map((row) => row.dest));
  // Every series needs a third number; only the first one's is coloured by it.
  const cells = (kind) => rows.filter((row) => answers(row, key, sound) === kind).map((row) => [dests.indexOf(row.dest), origins.indexOf(row.origin), row[key] ?? 0]);
  const data = cells('known');
  const never = cells('never');
  const marked = data.length + never.length > 0;
  const values = data.map((cell) => cell[2]);
  const [least, most] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 0];
  const at = new Map(rows.map((row) => [`${row.origin} ${row.dest}`, row]));
  const row = (value) => at.get(`${origins[value[1]]} ${dests[value[0]]}`);
  if (marked) {
    chart(body, {
      label: t('lanes.map'),
      height: 130 + origins.length * 27,
      width: 126 + dests.length * 25,
      onClick: ({ value }) => choose({ origin: origins[value[1]], dest: dests[value[0]] }),
      make: (axis, { text, quiet, surface, line }) => ({
        legend: { show: false },
        grid: { top: 86, bottom: 8, left: 96, right: 30, outerBoundsMode: 'none' },
        tooltip: { formatter: ({ value }) => tip(row(value), shown, key, sound) },
        xAxis: { type: 'category', position: 'top', data: dests.map(place), ...axis, splitLine: { show: false }, axisLabel: { color: text, rotate: 45, interval: 0, fontSize: 11 } },
        yAxis: { type: 'category', data: origins.map(place), ...axis, splitLine: { show: false }, axisLabel: { color: text, interval: 0, fontSize: 11 } },
        visualMap: {
          type: 'continuous', min: least, max: Math.max(most, least + 0.001), dimension: 2, seriesIndex: 0, show: false,
          inRange: { color: colorsOf(low).ramp },
        },
        series: [
          {
            type: 'heatmap', data, itemStyle: field(surface), emphasis: { itemStyle: { borderColor: text, borderWidth: 2 } },
            label: { show: true, fontSize: 10, color: text, formatter: ({ value }) => brief(value[2], key) },
          },
          // Half of its parcels, or nine of ten, will not come: no number is as bad.
          { type: 'heatmap', data: never, itemStyle: { ...field(surface), color: colorsOf(low).worst }, label: { show: true, fontSize: 11, color: text, formatter: '∞' } },
          { type: 'heatmap', data: cells('young'), itemStyle: { ...field(surface), color: line }, label: { show: true, fontSize: 10, color: quiet, formatter: '…' } },
          { type: 'heatmap', data: cells('few'), itemStyle: { ...field(surface), color: line }, label: { show: true, fontSize: 10, color: quiet, formatter: '·' } },
        ],
      }),
    });
  }
  return [
    !marked && h('p', { class: 'note' }, t('lanes.few')),
    h('p', { class: 'note below' }, t('lanes.key'), ' ', unknown(rows)),
  ];
}

// From the least to the most of the metric, and for what is worse than every number.
function colorsOf(low) {
  const good = isDark() ? ['#0d4f4a', '#4f5b2d', '#7a4b22', '#7d2c3e'] : ['#bfe3da', '#eef0c4', '#f6d3a8', '#efa0a6'];
  const amount = isDark() ? ['#1f2a31', '#1f6f9f'] : ['#eef3f6', '#6fb0d8'];
  return { ramp: metric() === 'parcels' ? amount : low ? good : good.toReversed(), worst: good.at(-1) };
}

const SIDES = ['dest', 'origin'];
const side = () => (get('side') === 'origin' ? 'origin' : 'dest');

function chinaPanel(asked) {
  const sides = h('div', { class: 'segments', role: 'group', 'aria-label': t('china') }, SIDES.map((name) =>
    h('button', { type: 'button', 'aria-pressed': String(name === side()), onclick: () => choose({ side: name === 'dest' ? '' : name }) }, t(`china.${name}`))));
  return panel({
    title: t('china'), note: t('china.note'), size: 'huge', csv: { path: 'provinces', parameters: asked },
    tools: [sides, h('button', { type: 'button', class: 'quiet', onclick: () => choose({ map: '', side: '' }) }, t('china.close'))],
    load: async (signal) => {
      const [answer] = await Promise.all([ask('provinces', asked, signal), import('../china.js')]);
      return answer;
    },
    show: china, isEmpty: ({ rows }) => !rows.some((row) => row.side === side()),
  });
}

// The shapes have the Chinese names of the provinces.
const shapeOf = (code) => catalog.all().provinces.find((province) => province.code === code)?.zh;

function china({ rows }, body) {
  const { key, shown, low, sound } = METRICS[metric()];
  const own = new Map(rows.filter((row) => row.side === side()).map((row) => [shapeOf(row.province), row]));
  const said = (row) => ({ few: t('too.few'), never: t('not.reached'), young: t('not.yet'), known: shown(row[key]) })[answers(row, key, sound)];
  const name = (shape) => catalog.all().provinces.filter(({ zh }) => zh === shape).map(({ code }) => catalog.province(code))[0] ?? shape;
  const values = [...own.values()].filter((row) => answers(row, key, sound) === 'known').map((row) => row[key]);
  const [least, most] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 0];
  chart(body, {
    label: t('china'),
    // With the inset it is 1.4 times as wide as high, and is cut off where there is less room.
    height: Math.min(620, Math.round(body.clientWidth / 1.4)),
    onClick: ({ name: shape }) => { if (own.has(shape)) choose({ [side()]: own.get(shape).province }); },
    make: (axis, { text, quiet, surface, line }) => ({
      legend: { show: false },
      tooltip: {
        trigger: 'item',
        formatter: ({ name: shape }) => h('div', {}, h('strong', {}, name(shape)), own.has(shape)
          ? [h('div', {}, `${t(`metric.${metric()}`)}: ${said(own.get(shape))}`), h('div', {}, `${t('parcels')}: ${count(own.get(shape).parcels)}`)]
          : h('div', {}, t('china.none'))),
      },
      visualMap: {
        type: 'continuous', min: least, max: Math.max(most, least + 0.001), show: values.length > 0, calculable: false, left: 4, bottom: 4, itemHeight: body.clientWidth < 600 ? 45 : 90, itemWidth: 12,
        text: [shown(most), shown(least)], textStyle: { color: quiet }, inRange: { color: colorsOf(low).ramp },
      },
      series: [{
        type: 'map', map: 'china', top: 8, bottom: 8, roam: false, selectedMode: false, showLegendSymbol: false,
        itemStyle: { areaColor: surface, borderColor: quiet, borderWidth: 0.5 },
        emphasis: { label: { color: text }, itemStyle: { areaColor: null, borderColor: text, borderWidth: 1.5 } },
        label: { show: innerWidth >= 900, color: text, fontSize: 10, formatter: ({ name: shape }) => (own.has(shape) ? name(shape) : '') },
        labelLayout: { hideOverlap: true },
        data: [...own].map(([shape, row]) => {
          const kind = answers(row, key, sound);
          return kind === 'known' ? { name: shape, value: row[key] } : { name: shape, itemStyle: { areaColor: kind === 'never' ? colorsOf(low).worst : line } };
        }),
      }],
    }),
    table: {
      head: [t(`china.${side()}`), t(`metric.${metric()}`), t('parcels')],
      rows: [...own.values()].map((row) => [catalog.province(row.province), said(row), count(row.parcels)]),
    },
  });
  return h('p', { class: 'note below' }, t('china.key'));
}

// Many a destination is only known once the parcel is there: what is on its way then lacks in the lane, and flatters it.
function unknown(rows) {
  const sum = (some) => some.reduce((total, row) => total + row.parcels, 0);
  const share = sum(rows.filter((row) => !row.origin || !row.dest)) / sum(rows);
  return share > 0 && t('lanes.unknown', { share: percent(share) });
}

const field = (surface) => ({ borderColor: surface, borderWidth: 1, borderRadius: 2 });

// Short enough for a field of the map.
function brief(value, key) {
  if (key === 'parcels') return value >= 10000 ? `${Math.round(value / 1000)}k` : value;
  return key.endsWith('hours') ? Math.round(value) : Math.round(value * 100);
}

function tip(row, shown, key, sound) {
  const value = { few: t('too.few'), never: t('not.reached'), young: t('not.yet'), known: shown(row[key]) }[answers(row, key, sound)];
  return h('div', {}, h('strong', {}, `${place(row.origin)} → ${place(row.dest)}`), h('div', {}, `${t(`metric.${metric()}`)}: ${value}`), h('div', {}, `${t('parcels')}: ${count(row.parcels)}`));
}

function list({ rows }) {
  const when = (row, name) => {
    const { key, shown, sound } = METRICS[name];
    const quiet = (words) => h('span', { class: 'quiet' }, words);
    return { few: quiet(t('n', { n: count(row.parcels) })), never: t('not.reached'), young: isYoung(row, key) ? tooYoung(row) : quiet(t('not.yet')), known: shown(row[key]) }[answers(row, key, sound)];
  };
  const rank = (row, name) => {
    const { key, sound } = METRICS[name];
    return { few: null, never: Infinity, young: null, known: row[key] }[answers(row, key, sound)];
  };
  // Only a lane that is known can be asked for.
  const parcels = (row, name) => (name in LISTED && row.origin && row.dest && METRICS[name].sound(row) ? linked(when(row, name), LISTED[name], { origin: row.origin, dest: row.dest }) : when(row, name));
  const column = (name, label) => ({
    key: name, numeric: true, low: METRICS[name].low, label, value: (row) => rank(row, name), cell: (row) => parcels(row, name),
  });
  const columns = [
    {
      key: 'lane', header: true, label: t('lane'), value: (row) => `${place(row.origin)} ${place(row.dest)}`,
      cell: (row) => (row.origin && row.dest
        ? h('a', { href: address('lanes', { origin: row.origin, dest: row.dest, sort: '' }), 'data-view': true }, `${place(row.origin)} → ${place(row.dest)}`)
        : `${place(row.origin)} → ${place(row.dest)}`),
    },
    column('parcels', t('parcels')), column('p50', t('p50')), column('p90', t('p90')), column('within_72h', t('rate_72h')), column('on_time', t('on_time_rate')), column('exception', t('exception_rate')),
  ];
  return table({ columns, rows, first: '-parcels', caption: t('lanes.list'), className: 'tall', rowClass: (row) => (row.is_mature ? '' : 'young') });
}
