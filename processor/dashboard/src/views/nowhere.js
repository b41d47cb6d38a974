// An address that leads to no view, mistyped or of another release.
import { h } from '../dom.js';
import { t } from '../i18n.js';
import { VIEWS, address } from '../url.js';

export default {
  without: 'all',
  show() {
    return h('section', { class: 'panel', 'data-state': 'empty' }, h('div', { class: 'state empty', role: 'status' },
      h('strong', {}, t('nowhere')),
      h('p', { class: 'detail mono' }, location.pathname),
      h('p', {}, t('nowhere.advice')),
      h('p', { class: 'tally' }, VIEWS.map((name) => h('a', { class: 'chip', href: address(name), 'data-view': true }, t(`view.${name || 'carriers'}`))))));
  },
};
