// What pages show of a correction by hand, beside the vendor's word.
import { h } from './dom.js';
import { word } from './i18n.js';

export const kind = (name) => word('said', name);

export const badge = (row) => h('span', { class: row.contradicted ? 'badge bad' : 'badge' }, kind(row.annotation));
