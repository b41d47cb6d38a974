// From a figure to its parcels: links to the page that lists them, with the choices of the present one.
import { h } from './dom.js';
import { filters } from './filters.js';
import { t } from './i18n.js';
import { address, go } from './url.js';

// As the API has them: of a share that is good when it is high, the parcels that it lacks.
export const FIGURES = [
  'parcels', 'delivered', 'open', 'late_48h', 'late_72h', 'not_on_time', 'not_first_attempt', 'exception', 'returned', 'eta_missed', 'lost_presumed',
];

// The figure behind a share.
export const FIGURE_OF = {
  rate_48h: 'late_48h', rate_72h: 'late_72h', on_time_rate: 'not_on_time', first_attempt_cn_rate: 'not_first_attempt',
  exception_rate: 'exception', return_rate: 'returned', eta_hit_rate: 'eta_missed',
};

// What only the list of parcels is asked for, and what only other views are.
const NONE = { figure: '', status: '', reason: '', code: '', party: '', cursor: '', sort: '', order: '', metric: '' };

// The days are those of the figure, whatever day it is when the link is followed.
function changes(figure, more) {
  const { from, to } = filters();
  return { ...NONE, from, to, figure: figure === 'parcels' ? '' : figure, ...more };
}

export const listOf = (figure, more) => address('parcels', changes(figure, more));
export const goToList = (figure, more) => go('parcels', changes(figure, more));

export function linked(content, figure, more) {
  return h('a', { class: 'figure', href: listOf(figure, more), 'data-view': true, title: t('list.of', { figure: t(`figure.${figure}`) }) }, content);
}
