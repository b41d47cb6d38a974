// Who is fast, who is reliable, who keeps its word: the first page.
import { ask, askOnce } from '../api.js';
import * as catalog from '../catalog.js';
import { sparkline } from '../charts.js';
import { choice, earlier } from '../compare.js';
import { h } from '../dom.js';
import { linked } from '../figures.js';
import { filters } from '../filters.js';
import { count, hours, percent, time } from '../format.js';
import { t } from '../i18n.js';
import { MATURE_SHARE, SOUND_RATE, league, sound } from '../league.js';
import { panel } from '../panel.js';

export default {
  without: [],
  show() {
    const asked = filters();
    // Both are asked once, and shown by two panels.
    const load = askOnce('scorecard', asked);
    const compared = earlier(asked);
    return [
      panel({ title: t('summary'), size: 'summary', load, show: summary }),
      panel({
        title: t('league'), note: t('league.note'), size: 'large', tools: choice(), csv: { path: 'scorecard', parameters: asked }, load: async (signal) => {
          const before = compared && ask('scorecard', { ...asked, ...compared }, signal);
          const [rows, trend, then] = await Promise.all([load(signal), ask('trend', asked, signal), before]);
          return { ...rows, trend: trend.rows, before: then?.rows };
        },
        show: (answer) => [
          compared && h('p', { class: 'note' }, t(answer.before.length ? 'compare.with' : 'compare.nothing', compared)),
          league(answer.rows, { trend: (row) => spark(row, answer.trend), before: answer.before }),
          !(asked.origin && asked.dest) && h('p', { class: 'note below' }, t('league.mix')),
        ],
      }),
    ];
  },
};

function spark(row, trend) {
  const days = [...new Set(trend.map((point) => point.day))].sort();
  const own = new Map(trend.filter((point) => point.carrier === row.carrier).map((point) => [point.day, point.p50_hours]));
  return sparkline(days.map((day) => own.get(day) ?? null), `${t('trend.title')}: ${catalog.carrier(row.carrier)}`, catalog.hue(row.carrier));
}

// Sums over all carriers, and the carriers that stand out.
function summary({ rows }) {
  const sum = (value) => rows.reduce((total, row) => total + value(row), 0);
  // A share times its denominator is the count that it was made of; of too few parcels it would be chance.
  const share = (key, of) => (sum((row) => row[of]) < SOUND_RATE ? null : sum((row) => (row[key] ?? 0) * row[of]) / sum((row) => row[of]));
  const isOnTimeMature = sum((row) => row.sla_due) >= MATURE_SHARE * sum((row) => row.sla_parcels);
  const fact = (value, label) => h('div', { class: 'fact' }, h('strong', {}, value), h('span', {}, label));
  return [
    h('div', { class: 'facts' },
      fact(linked(count(sum((row) => row.parcels)), 'parcels'), t('kpi.parcels')),
      fact(percent(sum((row) => row.delivered) / sum((row) => row.parcels)), t('kpi.delivered')),
      fact(linked(count(sum((row) => row.open)), 'open'), t('kpi.open')),
      fact(percent(share('rate_48h', 'due_48h')), t('kpi.rate_48h')),
      fact(isOnTimeMature ? percent(share('on_time_rate', 'sla_due')) : t('not.yet'), t('kpi.on_time')),
      fact(percent(share('exception_rate', 'settled')), t('kpi.exception'))),
    // Nobody is the fastest of one.
    rows.length > 1 && h('div', { class: 'bests' }, bests(rows)),
    h('p', { class: 'note' }, t('kpi.asof', { time: time(rows.map((row) => row.refreshed_at).sort()[0]) })),
  ];
}

// By the end of the interval that is certain: few parcels must not win by luck.
function bests(rows) {
  const top = (value, order) => rows.filter((row) => value(row) !== null).sort((a, b) => order * (value(a) - value(b)))[0];
  const low = (key, of) => (row) => (sound(row, key, of) === null ? null : row[`${key}_low`]);
  const fast = top((row) => (row.is_p50_sound ? row.p50_hours : null), 1);
  const reliable = top(low('on_time_rate', 'sla_due'), -1);
  const honest = top(low('eta_hit_rate', 'eta_due'), -1);
  const trouble = top(low('exception_rate', 'settled'), -1);
  const card = (kind, row, why) => h('div', { class: `best ${kind}` }, h('span', { class: 'kind' }, t(`best.${kind}`)),
    row ? [h('strong', {}, h('span', { class: 'dot', hue: catalog.hue(row.carrier) }), catalog.carrier(row.carrier)), h('span', {}, why)]
      : h('span', {}, t('best.none')));
  return [
    card('fast', fast, fast && t(fast.is_p90_sound && fast.p90_hours === null ? 'best.fast.most' : 'best.fast.why', { hours: hours(fast.p50_hours) })),
    card('reliable', reliable, reliable && t('best.reliable.why', { share: percent(reliable.on_time_rate), low: percent(reliable.on_time_rate_low) })),
    card('honest', honest, honest && t('best.honest.why', { share: percent(honest.eta_hit_rate) })),
    // Of carriers without an exception there is none to look at.
    trouble?.exception_rate !== 0 && card('trouble', trouble, trouble && t('best.trouble.why', { share: percent(trouble.exception_rate) })),
  ];
}
