// How long parcels take: the whole distribution, its course over time, where the hours go, and what lies in lockers.
import { ask, askOnce } from '../api.js';
import * as catalog from '../catalog.js';
import { chart } from '../charts.js';
import { h } from '../dom.js';
import { FIGURE_OF, goToList } from '../figures.js';
import { filters } from '../filters.js';
import { count, daysBefore, hours, percent, shortDay } from '../format.js';
import { t } from '../i18n.js';
import { SOUND_MEDIAN, median, rate, sound, soundMedian } from '../league.js';
import { panel } from '../panel.js';
import { table } from '../table.js';
import { choose, get } from '../url.js';

// More lines than these cannot be told apart: the carriers with the most parcels.
const MOST = 9;
const METRICS = {
  p50: { key: 'p50_hours', shown: hours },
  p90: { key: 'p90_hours', shown: hours },
  rate_72h: { key: 'rate_72h', shown: percent },
  on_time: { key: 'on_time_rate', shown: percent },
};

export default {
  without: [],
  show() {
    const asked = filters();
    const scorecard = askOnce('scorecard', asked);
    return [
      panel({ title: t('cdf'), note: t('cdf.note'), size: 'large', csv: { path: 'transit', parameters: asked }, load: (signal) => ask('transit', asked, signal), show: distribution }),
      panel({ title: t('time.trend'), note: t('time.trend.note'), size: 'large', tools: metricPicker(), csv: { path: 'trend', parameters: asked }, load: (signal) => ask('trend', asked, signal), show: trend }),
      panel({
        title: t('stages'), note: t('stages.note'), size: 'large', csv: { path: 'scorecard', parameters: asked }, load: scorecard, show: stages,
        isEmpty: (answer) => !answer.rows.some((row) => wholeHours(row) !== null || STAGES.some((stage) => stageHours(row, stage) !== null)),
      }),
      panel({
        title: t('lockers'), note: t('lockers.note'), size: 'large', csv: { path: 'scorecard', parameters: asked }, load: scorecard, show: lockers,
        isEmpty: (answer) => !answer.rows.some((row) => row.settled_reached),
      }),
    ];
  },
};

// On a wide page each line has its name at its end; a narrow one has the legend alone.
const isWide = () => innerWidth >= 900;
const atTheEnd = () => ({ endLabel: { show: isWide(), formatter: '{a}', color: 'inherit', width: 110, overflow: 'truncate' }, labelLayout: { moveOverlap: 'shiftY' } });
const roomAtTheEnd = () => (isWide() ? { right: 120 } : {});

const HORIZONS = [24, 48, 72, 96, 120, 168];

export function distribution({ rows }, body) {
  const curves = byCarrier(rows);
  const all = [...curves.keys()].sort((a, b) => curves.get(b).parcels - curves.get(a).parcels);
  const shown = all.filter((carrier) => curves.get(carrier).parcels >= SOUND_MEDIAN).slice(0, MOST);
  const others = all.filter((carrier) => !shown.includes(carrier)).map((carrier) => `${catalog.carrier(carrier)} (${count(curves.get(carrier).parcels)})`);
  if (shown.length) curvesOf(shown, curves, body);
  return others.length > 0 && h('p', { class: 'note below' }, t('cdf.others', { carriers: others.join(', ') }));
}

function curvesOf(shown, curves, body) {
  // The share at an hour in which nothing was delivered is that of the hour before.
  const lines = catalog.lines(shown);
  const at = (carrier, hour) => curves.get(carrier).points.findLast(([known]) => known <= hour)?.[1] ?? 0;
  chart(body, {
    label: t('cdf'),
    height: 360,
    make: (axis) => ({
      color: lines.map(({ hue }) => hue),
      tooltip: { trigger: 'axis', order: 'valueDesc', valueFormatter: (value) => percent(value), axisPointer: { label: { formatter: ({ value }) => `≤ ${Math.round(value)} ${t('h')}` } } },
      legend: {},
      xAxis: { type: 'value', name: t('cdf.x'), nameLocation: 'middle', nameGap: 28, min: 0, max: 168, interval: 24, ...axis },
      yAxis: { type: 'value', min: 0, max: 1, ...axis, axisLabel: { ...axis.axisLabel, formatter: (value) => `${Math.round(value * 100)} %` } },
      grid: { bottom: 34, ...roomAtTheEnd() },
      series: shown.map((carrier, place) => ({
        name: catalog.carrier(carrier), type: 'line', showSymbol: false, lineStyle: { width: 2, type: lines[place].dash }, emphasis: { focus: 'series' }, ...atTheEnd(),
        data: Array.from({ length: 85 }, (_, step) => [step * 2, at(carrier, step * 2)]),
      })),
    }),
    table: {
      head: [t('carrier'), ...HORIZONS.map((hour) => `≤ ${hour} ${t('h')}`), t('parcels')],
      rows: shown.map((carrier) => [catalog.carrier(carrier), ...HORIZONS.map((hour) => percent(at(carrier, hour))), count(curves.get(carrier).parcels)]),
    },
  });
}

function byCarrier(rows) {
  const curves = new Map();
  for (const row of rows) {
    const curve = curves.get(row.carrier) ?? { parcels: row.transit_parcels, points: [] };
    curve.points.push([row.hours, row.delivered_share]);
    curves.set(row.carrier, curve);
  }
  return curves;
}

const metric = () => (get('metric') in METRICS ? get('metric') : 'p50');

function metricPicker() {
  return h('div', { class: 'segments', role: 'group', 'aria-label': t('metric') }, Object.keys(METRICS).map((name) =>
    h('button', { type: 'button', 'aria-pressed': String(name === metric()), onclick: () => choose({ metric: name === 'p50' ? '' : name }) }, t(`trend.${name}`))));
}

function trend({ rows }, body) {
  const name = metric();
  const { key, shown: shownAs } = METRICS[name];
  const isTime = name.startsWith('p');
  const days = [...new Set(rows.map((row) => row.day))].sort();
  const sizes = new Map();
  for (const row of rows) sizes.set(row.carrier, (sizes.get(row.carrier) ?? 0) + row.parcels);
  const carriers = [...sizes.keys()].sort((a, b) => sizes.get(b) - sizes.get(a)).slice(0, MOST);
  const point = new Map(rows.map((row) => [`${row.carrier} ${row.day}`, row[key]]));
  const value = (carrier, day) => point.get(`${carrier} ${day}`) ?? null;
  const lines = catalog.lines(carriers);
  chart(body, {
    label: t('time.trend'),
    height: 320,
    // A point is of the week up to its day.
    onClick: ({ seriesIndex, dataIndex }) => goToList(FIGURE_OF[key] ?? 'parcels', { carrier: carriers[seriesIndex], from: daysBefore(days[dataIndex], 6), to: days[dataIndex] }),
    make: (axis) => ({
      color: lines.map(({ hue }) => hue),
      legend: {},
      tooltip: { trigger: 'axis', order: 'valueAsc', valueFormatter: (value) => shownAs(value) },
      xAxis: { type: 'category', data: days, boundaryGap: false, ...axis, axisLabel: { ...axis.axisLabel, formatter: shortDay } },
      yAxis: { type: 'value', scale: true, ...axis, axisLabel: { ...axis.axisLabel, formatter: isTime ? (value) => `${value} ${t('h')}` : (value) => `${Math.round(value * 100)} %` } },
      grid: roomAtTheEnd(),
      series: carriers.map((carrier, place) => ({
        name: catalog.carrier(carrier), type: 'line', connectNulls: false, triggerLineEvent: true, symbol: 'circle', symbolSize: 4, emphasis: { focus: 'series' },
        lineStyle: { type: lines[place].dash }, ...atTheEnd(),
        data: days.map((day) => value(carrier, day)),
      })),
    }),
    table: { head: [t('days'), ...carriers.map(catalog.carrier)], rows: days.map((day) => [day, ...carriers.map((carrier) => shownAs(value(carrier, day)))]) },
  });
}

const STAGES = ['pickup_wait', 'origin', 'linehaul', 'destination', 'last_mile'];
const STAGE_HUES = ['#9aa7b1', '#0f8b8d', '#3d6fd1', '#8a5cc9', '#e07a1f'];

// A mean of fewer parcels would be chance: such a stage is as unknown as one that no vendor tells of.
const stageHours = (row, stage) => (row[`${stage}_parcels`] >= SOUND_MEDIAN ? row[`${stage}_hours`] : null);
const wholeHours = (row) => (row.settled_attempted >= SOUND_MEDIAN ? row.settled_attempt_hours : null);

// What is left of the whole: the stages after the pickup that are not known. Stages are known of different parcels, so their means may
// add up to more than the mean of the whole.
function unknownHours(row) {
  const whole = wholeHours(row);
  const known = STAGES.slice(1).reduce((sum, stage) => sum + (stageHours(row, stage) ?? 0), 0);
  return whole !== null && whole - known > 0.05 ? whole - known : null;
}

function stages({ rows }, body) {
  const shown = rows.filter((row) => wholeHours(row) !== null || STAGES.some((stage) => stageHours(row, stage) !== null)).slice(0, MOST).reverse();
  const ofParcels = (value, parcels) => `${hours(value)} (${t('n', { n: count(parcels) })})`;
  const parcels = (row, series) => row[series === STAGES.length ? 'settled_attempted' : `${STAGES[series]}_parcels`];
  chart(body, {
    label: t('stages'),
    height: 80 + shown.length * 34,
    isTableOpen: true,
    make: (axis, { text, quiet, surface }) => ({
      color: STAGE_HUES,
      legend: {},
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, formatter: (bars) => stagesTip(shown[bars[0].dataIndex]) },
      // Zero is the pickup: what was before it goes to the left.
      xAxis: { type: 'value', ...axis, axisLabel: { ...axis.axisLabel, hideOverlap: true, formatter: (value) => `${Math.abs(value)} ${t('h')}` } },
      yAxis: { type: 'category', data: shown.map((row) => catalog.carrier(row.carrier)), ...axis, axisLine: { ...axis.axisLine, onZero: false }, axisLabel: { color: text } },
      series: [
        ...STAGES.map((stage, place) => ({
          name: t(`stage.${stage}`), type: 'bar', stack: 'time', barMaxWidth: 20,
          data: shown.map((row) => (stageHours(row, stage) === null ? null : stageHours(row, stage) * (place ? 1 : -1))),
        })),
        {
          name: t('stage.unknown'), type: 'bar', stack: 'time', barMaxWidth: 20, data: shown.map(unknownHours),
          itemStyle: { color: surface, borderColor: quiet, borderWidth: 1, decal: { symbol: 'rect', color: quiet, dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: -Math.PI / 4 } },
        },
      ],
    }),
    table: {
      head: [t('carrier'), ...STAGES.map((stage) => t(`stage.${stage}`)), t('stage.whole')],
      rows: shown.toReversed().map((row) => [
        catalog.carrier(row.carrier), ...[...STAGES.map((stage) => stageHours(row, stage)), wholeHours(row)].map((value, place) => ofParcels(value, parcels(row, place))),
      ]),
    },
  });

  function stagesTip(row) {
    const line = (name, value, n, hue) => h('div', {}, h('span', { class: 'dot', hue }), ' ', name, ': ', h('b', {}, value), n !== undefined && ` (${t('n', { n: count(n) })})`);
    const unknown = unknownHours(row);
    return h('div', {}, h('strong', {}, catalog.carrier(row.carrier)),
      STAGES.map((stage, place) => line(t(`stage.${stage}`), stageHours(row, stage) === null ? t('stage.not.known') : hours(stageHours(row, stage)), row[`${stage}_parcels`], STAGE_HUES[place])),
      unknown !== null && line(t('stage.unknown'), hours(unknown)),
      line(t('stage.whole'), hours(wholeHours(row)), row.settled_attempted));
  }
}

function lockers({ rows }) {
  const share = (key, of, low) => ({
    key, numeric: true, low, label: t(key), title: t(`${key}.title`), value: (row) => sound(row, key, of), cell: (row) => rate(row, key, of, 1),
  });
  const columns = [
    { key: 'carrier', header: true, label: t('carrier'), value: (row) => catalog.carrier(row.carrier) },
    { key: 'reached', numeric: true, label: t('settled_reached'), title: t('settled_reached.title'), value: (row) => row.settled_reached, cell: (row) => count(row.settled_reached) },
    share('locker_share', 'settled_reached', false),
    {
      key: 'dwell', numeric: true, low: true, label: t('locker_p50'), title: t('locker_p50.title'),
      value: (row) => soundMedian(row, 'locker_p50_hours', 'locker_parcels'), cell: (row) => median(row, 'locker_p50_hours', 'locker_parcels'),
    },
    share('locker_overdue_rate', 'locker_parcels', true),
  ];
  return table({ columns, rows: rows.filter((row) => row.settled_reached), name: 'lockers', first: '-reached', caption: t('lockers') });
}
