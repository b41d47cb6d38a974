// A day to type or to choose. A browser's own field speaks the language of the browser and puts month and day in its order; this one speaks
// that of the page.
import { h } from './dom.js';
import { locale, t } from './i18n.js';

const FIRST = '1970-01-01';
const LAST = '2148-12-31';

export function day({ name, value, label, onchoose }) {
  const input = h('input', {
    type: 'text', name, value, class: 'day', 'aria-label': label, inputmode: 'numeric', maxlength: 12, autocomplete: 'off', placeholder: t('days.form'), title: t('days.form'),
    oninput: () => input.setCustomValidity(''),
    // Leaving the field or Enter says that it is done.
    onchange: () => {
      const typed = read(input.value);
      if (!typed) {
        input.setCustomValidity(t('days.bad'));
        input.reportValidity();
      } else if (typed !== value) onchoose(typed);
      else input.value = value;
    },
  });
  const page = h('div', { class: 'list' });
  const details = h('details', {
    class: 'pick calendar', ontoggle: async () => {
      if (!details.open) return;
      // Loaded when somebody wants it.
      await import('cally');
      page.replaceChildren(calendar(read(input.value) ?? value, onchoose));
      page.querySelector('calendar-date').focus();
    },
  }, h('summary', { 'aria-label': `${t('days.choose')}: ${label}` }), page);
  return h('span', { class: 'day' }, input, details);
}

function calendar(value, onchoose) {
  return h('calendar-date', { value, min: FIRST, max: LAST, locale: locale(), 'first-day-of-week': 1, onchange: (event) => onchoose(event.target.value) },
    h('span', { slot: 'previous' }, h('span', { 'aria-hidden': 'true' }, '‹'), h('span', { class: 'hidden' }, t('days.month.previous'))),
    h('span', { slot: 'next' }, h('span', { 'aria-hidden': 'true' }, '›'), h('span', { class: 'hidden' }, t('days.month.next'))),
    h('calendar-month', {}));
}

// 2026-11-03, also as 2026/11/3, 2026.11.3, 20261103 or 2026年11月3日.
export function read(text) {
  const [, year, month, day] = /^\s*(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?\s*$/.exec(text) ?? [];
  if (!year) return undefined;
  const iso = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const isDay = new Date(`${iso}T00:00:00Z`).toJSON()?.startsWith(iso);
  return isDay && iso >= FIRST && iso <= LAST ? iso : undefined;
}
