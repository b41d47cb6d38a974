// Rows that can be sorted by their columns. The order is in the URL, as `sort=column` or `sort=-column`.
import { h, fill } from './dom.js';
import { t } from './i18n.js';
import { get, note } from './url.js';

// A column: key, label, title (what it means), value(row) to sort by, cell(row) to show; `low: true` where less is better.
export function table({ columns, rows, name = 'sort', first, caption, rowClass, className = '' }) {
  const box = h('div', { class: `scroll ${className}`, tabindex: '0', role: 'region', 'aria-label': caption });
  const asked = get(name) || first;
  let key = asked?.replace(/^-/, '');
  let descending = asked?.startsWith('-') ?? false;
  if (!columns.some((column) => column.key === key && column.value)) {
    key = first?.replace(/^-/, '');
    descending = first?.startsWith('-') ?? false;
  }

  function draw(focus) {
    const column = columns.find((candidate) => candidate.key === key);
    const sorted = column ? [...rows].sort((a, b) => compare(column.value(a), column.value(b), descending)) : rows;
    fill(box, h('table', {},
      caption && h('caption', { class: 'hidden' }, caption),
      h('thead', {}, h('tr', {}, columns.map((candidate) => head(candidate)))),
      h('tbody', {}, sorted.map((row) => h('tr', { class: rowClass?.(row) }, columns.map((candidate) => cell(candidate, row)))))));
    if (focus) box.querySelector(`button[data-key="${key}"]`)?.focus();
  }

  function head(column) {
    const numeric = column.numeric ? 'number' : '';
    if (!column.value) return h('th', { scope: 'col', class: numeric, title: column.title }, column.label);
    const sort = column.key === key ? (descending ? 'descending' : 'ascending') : undefined;
    const order = () => {
      descending = column.key === key ? !descending : Boolean(column.numeric && !column.low);
      key = column.key;
      note({ [name]: (descending ? '-' : '') + key });
      draw(true);
    };
    return h('th', { scope: 'col', class: numeric, 'aria-sort': sort },
      h('button', { type: 'button', class: 'sort', 'data-key': column.key, title: column.title ?? t('sort.by'), onclick: order }, column.label));
  }

  function cell(column, row) {
    const content = column.cell ? column.cell(row) : (column.value(row) ?? '–');
    return column.header ? h('th', { scope: 'row' }, content) : h('td', { class: column.numeric ? 'number' : '' }, content);
  }

  draw();
  return [box, glossary(columns)];
}

// What the heads say of themselves to a pointer, for whoever has none.
function glossary(columns) {
  const told = columns.filter((column) => column.title);
  return told.length > 0 && h('details', { class: 'glossary' }, h('summary', {}, t('glossary')),
    h('dl', {}, told.map((column) => h('div', {}, h('dt', {}, column.label), h('dd', {}, column.title)))));
}

// What is unknown stands at the end, in either order; what is never reached is Infinity, and greater than every number.
function compare(a, b, descending) {
  const missing = (value) => value === null || value === undefined || value === '';
  if (missing(a) || missing(b)) return missing(a) - missing(b);
  const order = typeof a === 'number' && typeof b === 'number' ? Number(a > b) - Number(a < b) : String(a).localeCompare(String(b));
  return descending ? -order : order;
}
