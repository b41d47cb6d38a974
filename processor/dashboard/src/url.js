// Everything that can be chosen is in the URL, and nowhere else: a reload, a bookmark and "back" show the same.

export const VIEWS = ['', 'transit', 'exceptions', 'lanes', 'attention', 'subscriptions', 'parcel', 'pipeline'];
// Figures and parcels lead there.
const LISTS = ['parcels', 'order'];

// An address of nothing, for which the server has this page, too.
export const NOWHERE = 'nowhere';

// Relative to the page, so that it also works below a path of a proxy.
const base = new URL('.', document.baseURI);

let onChange = () => {};

export function view() {
  const name = location.pathname.slice(base.pathname.length);
  return [...VIEWS, ...LISTS].includes(name) ? name : NOWHERE;
}

export function get(name) {
  return new URLSearchParams(location.search).get(name) ?? '';
}

export function list(name) {
  return get(name).split(',').filter(Boolean);
}

// The address of a view with the present choices and some changes; empty ones are left out.
export function address(view, changes = {}) {
  const search = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '' || value === null || value === undefined) search.delete(name);
    else search.set(name, value);
  }
  // Commas and colons may stand as they are in a query, and are easier to read.
  const text = search.toString().replaceAll('%2C', ',');
  return new URL(view, base).pathname + (text && `?${text}`);
}

export function go(view, changes = {}) {
  const target = address(view, changes);
  if (target !== location.pathname + location.search) history.pushState(null, '', target);
  onChange();
}

export function choose(changes) {
  go(view(), changes);
}

// Calls back after every change, whoever made it. Plain clicks on links within the page need no reload.
export function follow(callback) {
  onChange = callback;
  addEventListener('popstate', callback);
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[data-view]');
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    history.pushState(null, '', link.href);
    scrollTo(0, 0);
    callback();
  });
}

export function api(path, parameters = {}) {
  const url = new URL(`api/v1/${path}`, base);
  for (const [name, value] of Object.entries(parameters)) if (value) url.searchParams.set(name, value);
  return url;
}

// Notes a choice that changes nothing but the order of what is shown.
export function note(changes) {
  history.replaceState(null, '', address(view(), changes));
}
