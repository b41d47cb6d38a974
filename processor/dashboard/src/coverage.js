// Whether all parcels are followed and the pushes come: day by day, and by contract.
import { chart } from './charts.js';
import { h } from './dom.js';
import { count, daysFrom, number, percent, shortDay } from './format.js';
import { t } from './i18n.js';
import { SOUND_RATE, rate, sound } from './league.js';
import { byContract, contract } from './subscription.js';
import { table } from './table.js';

export function coverage(answer, body) {
  const days = byDay(answer.days);
  drawn(days, answer.days, body);
  return byAccount(answer.accounts);
}

const COUNTS = ['requested', 'accepted', 'due', 'aborted', 'without_shipment', 'shipments', 'shipments_unsubscribed'];

// All contracts together. A day on which nothing was asked for or heard of has no row, and must be seen.
function byDay(rows) {
  const none = () => ({ pushed: 0, ...Object.fromEntries(COUNTS.map((name) => [name, 0])) });
  const days = new Map(daysFrom(rows[0].day, rows.at(-1).day).map((day) => [day, none()]));
  for (const row of rows) {
    const day = days.get(row.day);
    for (const name of COUNTS) day[name] += row[name];
    day.pushed += (row.first_push_24h_share ?? 0) * row.due;
  }
  return [...days].map(([day, sums]) => ({ day, ...sums }));
}

// Each day two bars, subscriptions and shipments, and the line of the share that is pushed in time.
function drawn(days, rows, body) {
  const bar = (name, stack, value, color) => ({ name: t(`sub.${name}`), type: 'bar', stack, barMaxWidth: 14, itemStyle: { color }, data: days.map(value) });
  const share = (day) => (day.due >= SOUND_RATE ? day.pushed / day.due * 100 : null);
  const pushed = t('sub.first_push_24h');
  chart(body, {
    label: t('sub.coverage'),
    height: 320,
    width: 560,
    make: (axis, { text, surface }) => ({
      legend: {},
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
      xAxis: { type: 'category', data: days.map((day) => day.day), ...axis, axisLabel: { ...axis.axisLabel, formatter: shortDay } },
      yAxis: [
        { type: 'value', minInterval: 1, ...axis },
        { type: 'value', min: 0, max: 100, ...axis, splitLine: { show: false }, axisLabel: { ...axis.axisLabel, formatter: '{value} %' } },
      ],
      series: [
        bar('accepted', 'subscriptions', (day) => day.accepted, '#0f8b8d'),
        bar('not_accepted', 'subscriptions', (day) => day.requested - day.accepted, '#c2395b'),
        bar('shipments.subscribed', 'shipments', (day) => day.shipments - day.shipments_unsubscribed, '#3d6fd1'),
        bar('shipments_unsubscribed', 'shipments', (day) => day.shipments_unsubscribed, '#b8860b'),
        {
          name: pushed, type: 'line', yAxisIndex: 1, data: days.map(share), color: text, lineStyle: { width: 2 },
          symbol: 'circle', symbolSize: 8, itemStyle: { borderColor: surface, borderWidth: 1 },
          tooltip: { valueFormatter: (value) => percent(value === undefined || value === null ? null : value / 100) },
        },
      ],
    }),
    table: {
      head: [t('sub.day'), t('sub.account'), ...COUNTS.map((name) => t(`sub.${name}`)), pushed, t('sub.first_push_hours')],
      rows: rows.map((row) => [row.day, contract(row), ...COUNTS.map((name) => count(row[name])), percent(row.first_push_24h_share), hours(row)]),
    },
  });
}

const hours = (row) => `${number(row.first_push_p50_hours)} / ${number(row.first_push_p95_hours)} ${t('h')}`;

function byAccount(rows) {
  const judged = (row) => ({ ...row, first_push_24h: row.first_push_24h_share });
  const numeric = (key) => ({ key, numeric: true, label: t(`sub.${key}`), title: t(`sub.${key}.title`), value: (row) => row[key], cell: (row) => count(row[key]) });
  const columns = [
    { ...byContract(), header: true },
    numeric('requested'), numeric('accepted'),
    {
      key: 'first_push', numeric: true, label: t('sub.first_push_24h'), title: t('sub.first_push_24h.title'),
      value: (row) => sound(row, 'first_push_24h_share', 'due'), cell: (row) => rate(judged(row), 'first_push_24h', 'due'),
    },
    numeric('without_shipment'), numeric('aborted'), numeric('shipments'), numeric('shipments_unsubscribed'),
  ];
  return h('div', { class: 'below' }, table({ columns, rows, name: 'coverage', first: '-requested', caption: t('sub.coverage'), className: 'tall' }));
}
