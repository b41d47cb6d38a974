// Apache ECharts, only the parts that are used, in the colours of the page, and as a table for those who do not see it.
import * as echarts from 'echarts/core';
import { BarChart, HeatmapChart, LineChart } from 'echarts/charts';
import {
  AriaComponent, DataZoomComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, VisualMapComponent,
} from 'echarts/components';
import { LabelLayout } from 'echarts/features';
import { SVGRenderer } from 'echarts/renderers';
import { h } from './dom.js';
import { t } from './i18n.js';

echarts.use([
  BarChart, HeatmapChart, LineChart, AriaComponent, DataZoomComponent, GridComponent, LegendComponent, MarkLineComponent,
  TooltipComponent, VisualMapComponent, LabelLayout, SVGRenderer,
]);

const drawn = new Set();

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
export const colors = () => ({ text: color('text'), quiet: color('quiet'), line: color('line'), surface: color('surface') });

// What all charts have in common.
function base() {
  const { text, quiet, line, surface } = colors();
  const axis = {
    axisLine: { lineStyle: { color: line } },
    axisTick: { show: false },
    axisLabel: { color: quiet },
    nameTextStyle: { color: quiet },
    splitLine: { lineStyle: { color: line } },
  };
  return {
    axis,
    option: {
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: text },
      animation: !matchMedia('(prefers-reduced-motion: reduce)').matches && !navigator.webdriver,
      animationDuration: 250,
      grid: { left: 8, right: 16, top: 44, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      legend: { type: 'scroll', top: 4, left: 0, icon: 'roundRect', itemWidth: 12, itemHeight: 8, textStyle: { color: text } },
      tooltip: {
        confine: true, backgroundColor: surface, borderColor: line, textStyle: { color: text, fontSize: 13 },
        extraCssText: 'max-width: 24rem; white-space: normal;',
      },
      aria: { enabled: false },
    },
  };
}

// Draws into a box of its own below `body`; `make(axis)` gives the option. `table` holds the same figures, a head and rows, and is
// closed until somebody asks for it, unless the chart cannot say all of it (`isTableOpen`).
// What has a least `width` scrolls sideways where there is less.
export function chart(body, { make, height = 320, width, label, table, isTableOpen = false, onClick }) {
  const box = h('div', { class: 'chart', role: 'img', 'aria-label': label });
  box.style.height = `${height}px`;
  if (width) box.style.minWidth = `${width}px`;
  body.append(width ? h('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': label }, box) : box);
  if (table) body.append(asTable(table, isTableOpen));
  const instance = echarts.init(box, null, { renderer: 'svg' });
  const entry = { box, redraw };
  function redraw() {
    const { axis, option } = base();
    const made = make(axis, colors());
    const merged = { ...option, ...made };
    for (const part of ['grid', 'legend', 'tooltip']) if (made[part]) merged[part] = { ...option[part], ...made[part] };
    instance.setOption(merged, true);
    // A printer does not wait for the next frame.
    instance.getZr().flush();
  }
  redraw();
  // A line or an area is clicked anywhere (triggerLineEvent): then the point is the nearest one.
  if (onClick) instance.on('click', (clicked) => onClick({ ...clicked, dataIndex: clicked.dataIndex ?? Math.round(instance.convertFromPixel({ xAxisIndex: 0 }, clicked.event.offsetX)) }));
  const observer = new ResizeObserver(() => {
    if (box.isConnected) {
      // While it is not laid out (a print preview, a screenshot) there is nothing to fit into.
      if (box.clientWidth) {
        instance.resize();
        // On paper it is made as wide as that is.
        box.querySelector('svg')?.setAttribute('viewBox', `0 0 ${instance.getWidth()} ${instance.getHeight()}`);
      }
      return;
    }
    // Its page is gone.
    observer.disconnect();
    instance.dispose();
    drawn.delete(entry);
  });
  observer.observe(box);
  drawn.add(entry);
  return instance;
}

// Paper is light, whatever the screen is.
const dark = matchMedia('screen and (prefers-color-scheme: dark)');
export const isDark = () => dark.matches;
dark.addEventListener('change', () => drawn.forEach((entry) => entry.redraw()));

function asTable({ head, rows }, isOpen) {
  const details = h('details', { class: 'as-table', open: isOpen }, h('summary', {}, t('as.table')));
  // Made when somebody looks.
  details.addEventListener('toggle', () => {
    if (!details.open || details.children.length > 1) return;
    details.append(h('div', { class: 'scroll', tabindex: '0' }, h('table', {},
      h('thead', {}, h('tr', {}, head.map((name, place) => h('th', { scope: 'col', class: place ? 'number' : undefined }, name)))),
      h('tbody', {}, rows.map((row) => h('tr', {}, row.map((cell, place) => (place ? h('td', { class: 'number' }, cell) : h('th', { scope: 'row' }, cell)))))))));
  });
  return details;
}

// A line without axes, for a cell of a table: its shape says whether things get better. Gaps stay gaps.
export function sparkline(values, label, stroke) {
  const width = 96;
  const height = 26;
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return h('span', { class: 'quiet' }, '–');
  const low = Math.min(...known);
  const range = Math.max(...known) - low || 1;
  const x = (place) => 2 + (place / (values.length - 1)) * (width - 8);
  const y = (value) => 3 + (1 - (value - low) / range) * (height - 6);
  let path = '';
  let pen = 'M';
  values.forEach((value, place) => {
    if (value === null) {
      pen = 'M';
      return;
    }
    path += `${pen}${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = 'L';
  });
  const last = values.findLastIndex((value) => value !== null);
  return h('svg', { class: 'sparkline', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label },
    h('title', {}, label),
    h('path', { d: path, fill: 'none', stroke, 'stroke-width': 1.6, 'stroke-linejoin': 'round' }),
    h('circle', { cx: x(last), cy: y(values[last]), r: 2.4, fill: stroke }));
}

// A share with its interval, on a scale from `low` to `high`.
export function interval(share, from, to, low = 0, high = 1) {
  const width = 74;
  const x = (value) => 3 + (Math.min(Math.max(value, low), high) - low) / (high - low) * (width - 6);
  return h('svg', { class: 'interval', width, height: 12, viewBox: `0 0 ${width} 12`, 'aria-hidden': 'true' },
    h('line', { class: 'scale', x1: 3, x2: width - 3, y1: 6, y2: 6 }),
    from !== null && h('line', { class: 'range', x1: x(from), x2: Math.max(x(to), x(from) + 1), y1: 6, y2: 6 }),
    h('circle', { cx: x(share), cy: 6, r: 3 }));
}
