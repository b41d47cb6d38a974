// A table as a file. The server gives CSV as programs want it; the mark that Excel needs to see that it is UTF-8 is added here, because
// programs would take it for a part of the first column's name.
import { h } from './dom.js';
import { t } from './i18n.js';
import { api } from './url.js';

const BYTE_ORDER_MARK = '\ufeff';

// `path` and `parameters` as for an answer, `table` the member of it that is wanted, if there are several.
export function csvButton({ path, parameters, table }) {
  const said = h('span', { class: 'note', role: 'status' });
  const button = h('button', {
    type: 'button', class: 'quiet csv', title: t('csv.title'), onclick: async () => {
      button.disabled = true;
      said.textContent = '';
      try {
        await save(path, { ...parameters, table });
      } catch (error) {
        said.textContent = error.message || t('csv.failed');
      } finally {
        button.disabled = false;
      }
    },
  }, 'CSV');
  return [said, button];
}

async function save(path, parameters) {
  const response = await fetch(api(path, parameters), { headers: { accept: 'text/csv' } });
  if (!response.ok) {
    const { error } = await response.json().catch(() => ({}));
    throw new Error(error?.message ?? `HTTP ${response.status}`);
  }
  const file = new Blob([BYTE_ORDER_MARK, await response.blob()], { type: 'text/csv' });
  const link = h('a', { href: URL.createObjectURL(file), download: name(response) });
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const name = (response) => /filename="([^"]+)"/.exec(response.headers.get('content-disposition'))?.[1] ?? 'courierflow.csv';
