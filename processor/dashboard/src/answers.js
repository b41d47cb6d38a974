// What the vendors answer to calls: by class over days, and by code.
import { chart } from './charts.js';
import { h } from './dom.js';
import { count, daysFrom, percent, shortDay } from './format.js';
import { t } from './i18n.js';
import { answer, byContract, code, kind } from './subscription.js';
import { table } from './table.js';

// From what is wanted to what nobody knows.
const CLASSES = [
  ['DONE', '#0f8b8d'], ['DUPLICATE', '#3d6fd1'], ['NO_RESULT', '#5b7083'], ['RETRY', '#b8860b'], ['REJECTED', '#c2395b'], ['ACCOUNT', '#8a5cc9'], ['UNKNOWN', '#8b98a3'],
];

export function answers({ codes, days, from, to }, body) {
  overDays(days, daysFrom(from, to), body);
  return byCode(codes);
}

function overDays(rows, days, body) {
  const calls = new Map();
  for (const row of rows) {
    const key = `${row.call_date} ${row.class}`;
    calls.set(key, (calls.get(key) ?? 0) + row.calls);
  }
  const classes = CLASSES.filter(([name]) => rows.some((row) => row.class === name));
  const label = ([name]) => answer({ class: name });
  const value = (day, [name]) => calls.get(`${day} ${name}`) ?? 0;
  chart(body, {
    label: t('sub.answers'),
    height: 260,
    make: (axis) => ({
      color: classes.map(([, hue]) => hue),
      legend: {},
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, valueFormatter: count },
      xAxis: { type: 'category', data: days, ...axis, axisLabel: { ...axis.axisLabel, formatter: shortDay } },
      yAxis: { type: 'value', minInterval: 1, ...axis },
      series: classes.map((one) => ({ name: label(one), type: 'bar', stack: 'calls', barMaxWidth: 28, data: days.map((day) => value(day, one)) })),
    }),
    table: { head: [t('sub.day'), ...classes.map(label)], rows: days.map((day) => [day, ...classes.map((one) => count(value(day, one)))]) },
  });
}

function byCode(rows) {
  // A share is one of the same kind of calls of the same contract.
  const subject = (row) => [row.vendor, row.account, row.kind].join(' ');
  const all = new Map();
  for (const row of rows) all.set(subject(row), (all.get(subject(row)) ?? 0) + row.calls);
  const share = (row) => row.calls / all.get(subject(row));
  const milliseconds = (key, label) => ({ key, numeric: true, low: true, label, title: t(`sub.${key}.title`), value: (row) => row[key], cell: (row) => count(row[key]) });
  const columns = [
    { key: 'code', header: true, label: t('code'), value: (row) => row.code, cell: (row) => code(row) ?? '–' },
    { key: 'class', label: t('sub.class'), value: answer },
    { key: 'kind', label: t('sub.call.kind'), value: kind },
    byContract(),
    { key: 'calls', numeric: true, label: t('sub.calls'), value: (row) => row.calls, cell: (row) => count(row.calls) },
    { key: 'share', numeric: true, label: t('share'), title: t('sub.calls.share'), value: share, cell: (row) => percent(share(row)) },
    milliseconds('p50_ms', t('sub.p50_ms')), milliseconds('p95_ms', t('sub.p95_ms')),
  ];
  return h('div', { class: 'below' }, table({ columns, rows, name: 'answers', first: '-calls', caption: t('sub.answers'), className: 'tall' }));
}
