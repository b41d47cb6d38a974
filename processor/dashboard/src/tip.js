// What a pointer is told by resting on something (`title`), a finger is told by touching it. Links and buttons do what they do instead:
// what they are is in the glossary of their table.
import { h } from './dom.js';

const tip = h('div', { class: 'tip', popover: 'auto', role: 'status' });

document.addEventListener('click', (event) => {
  if (event.pointerType !== 'touch') return;
  const told = event.target.closest?.('[title]');
  if (!told || told.closest('a, button')) return;
  tip.textContent = told.title;
  if (!tip.isConnected) document.body.append(tip);
  tip.showPopover();
});
