// Clicks through the page in Chromium and looks at what it shows: node test/browser.js URL SCENARIO PICTURES
// The figures are those of tests/tests/it/dashboard/data.rs, which the end-to-end tests have inserted.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';

const [, , base, scenario, pictures] = process.argv;

const chromium = process.env.CHROMIUM ?? execFileSync('sh', ['-c', 'command -v chromium || command -v chromium-browser || command -v google-chrome']).toString().trim();
const browser = await puppeteer.launch({
  executablePath: chromium,
  // Root, as in a container, may not have a sandbox; the page is our own.
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb'],
});

// A page, and everything that its console complained about. `answers` holds made-up ones, by path of the API, or what makes them of the question.
async function open(path, { width = 1440, height = 900, language = 'en-GB', dark = false, answers = {}, touch = false } = {}) {
  const page = await browser.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => { if (['error', 'warn'].includes(message.type())) complaints.push(message.text()); });
  page.on('request', (request) => { if (!request.url().startsWith(base) && !request.url().startsWith('data:')) complaints.push(`asks for ${request.url()}`); });
  if (Object.keys(answers).length) {
    await page.setRequestInterception(true);
    page.on('request', (request) => {
      const asked = new URL(request.url());
      const known = answers[asked.pathname.replace('/api/v1/', '')];
      const answer = typeof known === 'function' ? known(asked.searchParams) : known;
      if (answer) request.respond({ contentType: 'application/json', body: JSON.stringify(answer) });
      else request.continue();
    });
  }
  await page.setViewport({ width, height, hasTouch: touch });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]);
  await page.evaluateOnNewDocument((tag) => Object.defineProperty(navigator, 'languages', { get: () => [tag] }), language);
  await page.goto(base + path);
  await settled(page);
  return { page, complaints };
}

// Every panel has its answer.
async function settled(page) {
  await page.waitForFunction(() => document.querySelector('#content .panel, #content .start, #content form') && !document.querySelector('[aria-busy="true"]'), { timeout: 30000 });
}

// Figures are tied to their units by spaces that do not break.
const text = (page, selector) => page.$$eval(selector, (elements) => elements.map((element) => element.innerText.replaceAll('\u00a0', ' ').trim()));
const states = (page) => page.$$eval('.panel', (panels) => panels.map((panel) => panel.dataset.state));
const parameter = (page, name) => new URL(page.url()).searchParams.get(name);

async function click(page, selector, label) {
  const found = await page.$$(selector);
  for (const element of found) {
    if (!label || (await element.evaluate((element) => element.innerText.trim())) === label) {
      await element.click();
      await settled(page);
      return;
    }
  }
  assert.fail(`there is no ${selector} ${label}`);
}

// A part of a chart. Charts are drawn anew when they get their size and when the pointer comes near, so it is looked for before each try;
// after a try the page may be on its way and the chart gone.
async function press(page, find, isThere = () => location.pathname === '/parcels') {
  const arrives = () => page.waitForFunction(isThere, { timeout: 1000 }).then(() => true, () => false);
  let arrived = false;
  for (const deadline = Date.now() + 20000; !arrived && Date.now() < deadline;) {
    const element = (await page.evaluateHandle(find)).asElement();
    const place = element && await element.evaluate((element) => {
      element.scrollIntoView({ block: 'center' });
      const box = element.getBoundingClientRect();
      return { x: box.x + box.width / 2, y: box.y + box.height / 2, isThere: element.isConnected };
    });
    if (place?.isThere) await page.mouse.click(place.x, place.y, { delay: 50 });
    arrived = await arrives();
  }
  assert.ok(arrived, 'the chart does not lead there');
  await settled(page);
}

async function choose(page, name, value) {
  await page.select(`select[name="${name}"]`, value);
  await settled(page);
}

async function league(page) {
  const rows = await page.$$eval('.league tbody tr', (rows) => rows.map((row) => [...row.children].map((cell) => {
    const copy = cell.cloneNode(true);
    copy.querySelectorAll('.hidden').forEach((element) => element.remove());
    return copy.textContent.replaceAll('\u00a0', ' ').trim();
  })));
  return Object.fromEntries(rows.map(([carrier, ...cells]) => [carrier, cells]));
}

// Parcels, p50, p90, within 48 h, within 72 h, on time: the second column is a drawing.
const withoutTrend = (cells) => cells.filter((_, place) => place !== 1).slice(0, 6);

async function picture(page, name) {
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
}

const tests = {
  async 'the league table shows the figures'() {
    const { page, complaints } = await open('/');
    assert.equal(await page.title(), 'Carriers · courierflow');
    assert.equal(await page.$eval('html', (html) => html.lang), 'en');
    assert.deepEqual(await text(page, '.summary .fact strong'), ['120', '75.0 %', '18', '50.0 %', '81.7 %', '41.7 %']);
    const carriers = await league(page);
    assert.deepEqual(Object.keys(carriers).sort(), ['J&T Express', 'SF Express', 'ZTO Express']);
    assert.deepEqual(withoutTrend(carriers['SF Express']), ['40', '20.0 h', 'n = 40', '100.0 %', '100.0 %', '100.0 %']);
    assert.deepEqual(withoutTrend(carriers['ZTO Express']), ['40', '50.0 h', 'n = 40', '0.0 %', '75.0 %', '75.0 %']);
    const best = await text(page, '.best');
    assert.match(best[0], /Fastest\s+SF Express/);
    assert.match(best[1], /Most reliable\s+SF Express/);
    assert.match(best[3], /ZTO Express/);
    await picture(page, 'carriers-en');
    assert.deepEqual(complaints, []);
  },

  async 'columns are sorted, and the order is in the address'() {
    const { page } = await open('/');
    const first = async () => (await text(page, '.league tbody tr:first-child th'))[0];
    await click(page, 'button[data-key="p50"]');
    assert.equal(await first(), 'SF Express');
    assert.equal(parameter(page, 'sort'), 'p50');
    await click(page, 'button[data-key="p50"]');
    assert.equal(parameter(page, 'sort'), '-p50');
    assert.equal(await first(), 'ZTO Express');
    assert.equal(await page.$eval('th[aria-sort]', (head) => head.getAttribute('aria-sort')), 'descending');
    await page.reload();
    await settled(page);
    assert.equal(await first(), 'ZTO Express');
  },

  async 'a carrier is found by any of its names'() {
    const { page, complaints } = await open('/');
    await page.click('.carriers > summary');
    const offered = () => page.$$eval('.carriers input[name="carrier"]', (inputs) => inputs.map((input) => input.value));
    assert.deepEqual(await offered(), ['sf', 'jd', 'zto', 'yto', 'sto', 'yunda', 'jt', 'ems', 'chinapost']);
    await page.type('.carriers input[name="find"]', '丹鸟');
    assert.deepEqual(await offered(), ['danniao']);
    await click(page, '.carriers input[value="danniao"]');
    assert.equal(parameter(page, 'carrier'), 'danniao');
    assert.ok((await offered()).includes('danniao'), 'what is chosen is offered');
    assert.deepEqual(complaints, []);
  },

  async 'filters are in the address and survive reload and back'() {
    const { page, complaints } = await open('/');
    await page.click('.carriers > summary');
    await click(page, '.carriers input[value="sf"]');
    assert.equal(parameter(page, 'carrier'), 'sf');
    assert.deepEqual(Object.keys(await league(page)), ['SF Express']);
    assert.equal(await page.$eval('.carriers', (pick) => pick.open), true, 'the list stays open for another one');
    await click(page, '.carriers input[value="jt"]');
    assert.equal(parameter(page, 'carrier'), 'sf,jt');
    assert.equal(Object.keys(await league(page)).length, 2);
    await choose(page, 'vendor', 'kdniao');
    assert.deepEqual(Object.keys(await league(page)), ['J&T Express']);
    await page.reload();
    await settled(page);
    assert.deepEqual(Object.keys(await league(page)), ['J&T Express']);
    assert.equal(await page.$eval('select[name="vendor"]', (select) => select.value), 'kdniao');
    await page.goBack();
    await settled(page);
    assert.equal(parameter(page, 'vendor'), null);
    assert.equal(Object.keys(await league(page)).length, 2);
    // The choices go along to another view, and back with a click.
    await click(page, 'nav a', 'Transit times');
    assert.equal(new URL(page.url()).pathname, '/transit');
    assert.equal(parameter(page, 'carrier'), 'sf,jt');
    await click(page, '.filters button.quiet', 'Reset');
    assert.equal(new URL(page.url()).search, '');
    assert.deepEqual(complaints, []);
  },

  async 'days can be chosen, also young ones and none'() {
    const { page } = await open('/');
    await click(page, '.preset', '7 days');
    assert.deepEqual(new Set(await states(page)), new Set(['empty']));
    await page.screenshot({ path: `${pictures}/empty-en.png` });
    // Picked up three and forty hours ago: too young to judge, and greyed.
    await click(page, '.preset', 'to today');
    const young = await text(page, '.league tr.young th');
    assert.deepEqual(young.map((name) => name.replace(/\s+/g, ' ')).sort(), ['YTO Express young', 'nobody young']);
    // All of the short promises were kept, and the long ones are not due: nobody is told that it is reliable.
    const carriers = await league(page);
    assert.equal(withoutTrend(carriers['YTO Expressyoung'])[5], 'not yet');
    assert.match((await text(page, '.best'))[1], /Most reliable\s+SF Express/);
    assert.equal((await text(page, '.summary .fact strong'))[4], 'not yet');
    await picture(page, 'carriers-young-en');
  },

  async 'the language is that of the browser, and can be changed'() {
    const { page, complaints } = await open('/', { language: 'zh-CN' });
    assert.equal(await page.title(), '快递公司 · courierflow');
    assert.ok((await league(page))['顺丰速运']);
    await picture(page, 'carriers-zh');
    await click(page, '.languages button', 'English');
    assert.equal(parameter(page, 'lang'), 'en');
    assert.ok((await league(page))['SF Express']);
    await click(page, '.languages button', '中文');
    assert.equal(await page.$eval('html', (html) => html.lang), 'zh-CN');
    await click(page, 'nav a', '异常');
    assert.match((await text(page, 'tbody'))[0], /204\s*派件异常 Delivery failed\s*快递100\s*快递公司\s*30\s*37\.50 %.*\s2\.0 小时/s);
    await picture(page, 'exceptions-zh');
    assert.deepEqual(complaints, []);
  },

  async 'every view shows its figures in both languages, wide and narrow, light and dark'() {
    for (const view of ['transit', 'exceptions', 'lanes', 'attention', 'parcels', 'subscriptions', 'pipeline']) {
      for (const [language, width, dark] of [['en', 1440, false], ['zh', 1440, true], ['zh', 390, false], ['en', 390, false]]) {
        const { page, complaints } = await open(`/${view}?lang=${language}`, { width, dark });
        assert.deepEqual(new Set(await states(page)), new Set(['ready']), `${view} ${language}`);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${view} is ${overflow} px too wide at ${width}`);
        await picture(page, `${view}-${language}-${width}`);
        assert.deepEqual(complaints, [], view);
        await page.close();
      }
    }
  },

  async 'charts have their figures as tables, too'() {
    const { page } = await open('/transit');
    await page.click('.as-table summary');
    // That of the stages is open from the start, so the first one is waited for.
    await page.waitForFunction(() => document.querySelector('.as-table').querySelector('tbody tr'));
    const rows = await page.$eval('.as-table', (table) => [...table.querySelectorAll('tbody tr')].map((row) => row.innerText.replaceAll('\u00a0', ' ')));
    assert.match(rows.find((row) => row.startsWith('ZTO')), /ZTO Express\s+0\.0 %\s+0\.0 %\s+75\.0 %\s+75\.0 %/);
    await click(page, '.segments button', 'On time');
    assert.equal(parameter(page, 'metric'), 'on_time');
  },

  async 'lockers have a table that sorts'() {
    const { page, complaints } = await open('/transit?lang=en');
    const heading = 'Lockers and stations';
    const rows = () => page.$$eval('section', (panels, heading) => {
      const panel = panels.find((panel) => panel.querySelector('h2')?.textContent.includes(heading));
      return [...panel.querySelectorAll('tbody tr')].map((row) => row.innerText.replace(/\s+/g, ' '));
    }, heading);
    assert.match((await rows())[0], /^SF Express 40 0\.0 % /);
    assert.match((await rows())[1], /^ZTO Express 30 100\.0 % .*1\.0 h 0\.0 %/);
    assert.match((await rows())[2], /^J&T Express 20 n = 20/);
    await click(page, '.sort', 'Into a locker');
    assert.equal(parameter(page, 'lockers'), '-locker_share');
    assert.match((await rows())[0], /^ZTO/);
    assert.deepEqual(complaints, []);
  },

  async 'parcels without an exception are not the same as no parcels'() {
    const { page, complaints } = await open('/exceptions?carrier=sf&lang=en');
    assert.deepEqual(new Set(await states(page)), new Set(['empty']));
    assert.match((await text(page, '.state.empty'))[0], /No exceptions within 7 days among 40 settled parcels/);
    await picture(page, 'exceptions-none-en');
    await click(page, '.languages button', '中文');
    assert.match((await text(page, '.state.empty'))[0], /40 票满 7 天的快件，7 天内没有发生任何异常/);
    const { page: nobody } = await open('/exceptions?carrier=ems&lang=en');
    assert.match((await text(nobody, '.state.empty'))[0], /No parcels here/);
    assert.deepEqual(complaints, []);
  },

  async 'a field of the map leads to the carriers of the lane'() {
    const { page, complaints } = await open('/lanes');
    assert.match((await text(page, '.tall tbody tr'))[0], /Guangdong → Shanghai\s+80\s+20\.0 h/);
    const chart = await page.$('.chart');
    const box = await chart.boundingBox();
    // Rows: Zhejiang, Guangdong; columns: Shanghai, Guangdong.
    const plot = { left: box.x + 96, right: box.x + box.width - 30, top: box.y + 86, bottom: box.y + box.height - 8 };
    await page.mouse.click(plot.left + (plot.right - plot.left) * 0.25, plot.top + (plot.bottom - plot.top) * 0.75);
    await settled(page);
    assert.equal(parameter(page, 'origin'), 'CN44');
    assert.equal(parameter(page, 'dest'), 'CN31');
    assert.deepEqual(Object.keys(await league(page)).sort(), ['SF Express', 'ZTO Express']);
    await picture(page, 'lane-en');
    await click(page, '.button', 'All lanes');
    assert.equal(parameter(page, 'origin'), null);
    await choose(page, 'metric', 'on_time');
    assert.equal(parameter(page, 'metric'), 'on_time');
    assert.deepEqual(complaints, []);
  },

  async 'a lane whose parcels do not arrive is the slowest of all'() {
    const lane = (dest, parcels, p50_hours, more) => ({
      origin: 'CN44', dest, parcels, is_mature: true, transit_parcels: parcels, p50_hours, is_p50_sound: parcels >= 10, p90_hours: null,
      is_p90_sound: parcels >= 50, due_72h: parcels, sla_due: parcels, settled: parcels, ...more,
    });
    const rows = [
      lane('CN11', 300, 20), lane('CN31', 200, 90), lane('CN65', 15, null), lane('CN50', 14, null, { is_mature: false }), lane('CN54', 3, null),
    ];
    const { page, complaints } = await open('/lanes?lang=en', { answers: { lanes: { rows } } });
    const marks = (await page.$$eval('.chart text', (texts) => texts.map((text) => text.textContent))).filter((text) => /^[∞…·]$/.test(text));
    assert.deepEqual(marks.sort(), ['·', '…', '∞'].sort());
    assert.match((await text(page, '.note.below'))[0], /∞ not reached/);
    const lanes = async () => (await text(page, '.tall tbody th')).map((lane) => lane.replace('Guangdong → ', ''));
    await click(page, 'button[data-key="p50"]');
    assert.deepEqual(await lanes(), ['Beijing', 'Shanghai', 'Xinjiang', 'Chongqing', 'Tibet']);
    await click(page, 'button[data-key="p50"]');
    assert.deepEqual(await lanes(), ['Xinjiang', 'Shanghai', 'Beijing', 'Chongqing', 'Tibet']);
    await picture(page, 'lanes-not-reached');
    assert.deepEqual(complaints, []);
    // Lanes of which none arrives are a map, too.
    const { page: lost } = await open('/lanes?lang=zh', { answers: { lanes: { rows: rows.slice(2, 3) } } });
    assert.ok((await lost.$$eval('.chart text', (texts) => texts.map((text) => text.textContent))).includes('∞'));
    assert.match((await text(lost, '.note.below'))[0], /∞ 表示未达到/);
  },

  async 'a carrier whose parcels do not arrive is the slowest of all'() {
    const card = (carrier, p90_hours, parcels = 100) => ({
      carrier, parcels, is_mature: true, maturity: 1, transit_parcels: parcels, p50_hours: 20, is_p50_sound: true, p90_hours, is_p90_sound: parcels >= 50, refreshed_at: '2026-01-01T00:00:00Z',
    });
    const rows = [card('sf', 40), card('zto', null), card('jt', 60), card('ems', null, 30)];
    for (const [sort, expected] of [['-p90', 'ZTO Express, J&T Express, SF Express, EMS'], ['p90', 'SF Express, J&T Express, ZTO Express, EMS']]) {
      const { page } = await open(`/?lang=en&sort=${sort}`, { answers: { scorecard: { rows } } });
      assert.equal((await text(page, '.league tbody th')).join(', '), expected);
    }
  },

  async 'a carrier is compared with itself'() {
    // 56 of 70 and 48 of 80 with their Wilson intervals: the example that Newcombe's paper works out.
    const [high, low] = [[0.8, 0.69183356, 0.87695261, 70], [0.6, 0.49045465, 0.70038172, 80]];
    const row = ([share, from, to, settled], p50_hours) => ({
      carrier: 'sf', parcels: 100, is_mature: true, maturity: 1, transit_parcels: 100, p50_hours, is_p50_sound: true, p90_hours: null, is_p90_sound: true, settled,
      exception_rate: share, exception_rate_low: from, exception_rate_high: to, return_rate: 0.5, return_rate_low: 0.4, return_rate_high: 0.6, refreshed_at: '2026-01-01T00:00:00Z',
    });
    const scorecard = (asked) => ({ rows: asked.get('from') === '2026-03-01' ? [row(high, 30)] : asked.get('from') === '2026-02-19' ? [row(low, 24)] : [] });
    const { page, complaints } = await open('/?lang=en&from=2026-03-01&to=2026-03-10', { answers: { scorecard } });
    assert.deepEqual(await text(page, '.difference'), []);
    await choose(page, 'compare', 'before');
    const differences = await text(page, '.difference');
    assert.match(differences[0], /^\+6\.0 h$/);
    assert.match(differences[1], /^\+20\.0 points worse\s+The difference is between \+5\.2 and \+33\.4 percentage points/);
    assert.match(differences[2], /^0\.0 points may be chance/);
    assert.match((await text(page, '.note')).join('\n'), /Compared with 2026-02-19 – 2026-02-28/);
    await picture(page, 'compared-en');
    await choose(page, 'compare', 'year');
    assert.match((await text(page, '.note')).join('\n'), /There are no parcels of 2025-03-02 – 2025-03-11/);
    assert.deepEqual(complaints, []);
  },

  async 'carriers that stand out are named where there is something to say'() {
    const card = (carrier, p90_hours, more) => ({
      carrier, parcels: 100, is_mature: true, maturity: 1, transit_parcels: 100, p50_hours: 20, is_p50_sound: true, p90_hours, is_p90_sound: true,
      settled: 100, exception_rate: 0, exception_rate_low: 0, exception_rate_high: 0.04, refreshed_at: '2026-01-01T00:00:00Z', ...more,
    });
    const shown = async (rows) => {
      const { page } = await open('/?lang=en', { answers: { scorecard: { rows } } });
      return text(page, '.best');
    };
    const rows = [card('sf', null), card('zto', 60, { p50_hours: 50 })];
    const faultless = await shown(rows);
    assert.match(faultless[0], /SF Express\s+half of its parcels take no longer than 20\.0 h, but more than one in ten have not arrived/);
    assert.ok(!faultless.some((card) => card.startsWith('Look at')), faultless.join('\n'));
    const trouble = await shown([rows[0], { ...rows[1], exception_rate: 0.1, exception_rate_low: 0.05 }]);
    assert.match(trouble.at(-1), /Look at\s+ZTO Express\s+10\.0 %/);
    assert.deepEqual(await shown(rows.slice(0, 1)), [], 'nobody is the fastest of one');
  },

  async 'a carrier that is worse than before leads to its parcels'() {
    const { page, complaints } = await open('/attention?lang=en');
    const told = (await text(page, '.panel')).find((panel) => panel.startsWith('Better or worse than before'));
    assert.match(told, /1 of 1 comparisons differ beyond chance/);
    assert.match(told, /YTO[^\n]*\s+all lanes\s+On time\s+worse\s+90\.0.%\s+80\.0.%[^]*700\s+practically certain/);
    await click(page, 'a.figure');
    assert.equal(new URL(page.url()).pathname, '/parcels');
    assert.deepEqual([parameter(page, 'carrier'), parameter(page, 'figure')], ['yto', 'not_on_time']);
    assert.deepEqual(complaints, []);
  },

  async 'parcels to act on lead to the parcel'() {
    const { page, complaints } = await open('/attention');
    assert.deepEqual(await text(page, '.tally > strong'), ['8', '18']);
    const number = (await text(page, 'tbody a'))[0];
    await click(page, 'tbody a');
    assert.equal(new URL(page.url()).pathname, '/parcel');
    assert.equal(parameter(page, 'number'), number);
    assert.match((await text(page, '.life-head'))[0], /J&T Express\s+Delivery failed/);
    assert.equal((await text(page, '.timeline:not(.plain) li')).length, 3);
    await picture(page, 'parcel-en');
    assert.deepEqual(complaints, []);
    const { page: unknown } = await open('/attention?carrier=nosuch&lang=en');
    assert.match((await text(unknown, '.state.empty'))[0], /Nothing to do here\.\s+there is nothing for carrier nosuch \(not in the list of known carriers\)/);
    await click(unknown, '.languages button', '中文');
    assert.match((await text(unknown, '.state.empty'))[0], /快递公司 nosuch（不在已知快递公司之列）/);
  },

  async 'a parcel shows its way from hub to hub'() {
    const { page, complaints } = await open('/parcel?number=SF0000&lang=en');
    const rows = (await text(page, '.life tbody tr')).map((row) => row.replaceAll(/\s+/g, ' '));
    assert.equal(rows.length, 3);
    assert.match(rows[0], /^1 深圳 Passed – .+ – 2\.0 h$/);
    assert.match(rows[1], /^2 虎门 became late Passed .+ 4\.0 h 2\.0 h$/);
    assert.match(rows[2], /^3 上海 Next .+ expected .+ 3\.0 h –$/);
    const { page: chinese } = await open('/parcel?number=SF0000&lang=zh');
    assert.match((await text(chinese, '.life tbody tr'))[2], /下一站[^]*预计/);
    // Most vendors tell no route.
    const { page: without } = await open('/parcel?number=SF0001&lang=en');
    assert.deepEqual(await text(without, '.life tbody tr'), []);
    assert.deepEqual(complaints, []);
  },

  async 'a figure leads to its parcels, and they to the parcel'() {
    const { page, complaints } = await open('/?lang=en');
    const numbers = () => text(page, '.parcels tbody th');
    // The share of ZTO within 72 h: ten have not arrived.
    const late = await page.$$eval('.league tbody tr', (rows) => [...rows.find((row) => row.innerText.startsWith('ZTO')).querySelectorAll('a.figure')].map((link) => new URL(link.href).search).find((search) => search.includes('late_72h')));
    await page.evaluate((search) => document.querySelector(`.league a.figure[href$="${search}"]`).click(), late);
    await settled(page);
    assert.equal(new URL(page.url()).pathname, '/parcels');
    assert.equal(parameter(page, 'figure'), 'late_72h');
    assert.equal(parameter(page, 'carrier'), 'zto');
    assert.equal(await page.title(), 'Parcels · courierflow');
    assert.deepEqual(await numbers(), Array.from({ length: 10 }, (_, number) => `ZTO2${String(number).padStart(3, '0')}`));
    // Another figure of the same choice, and the codes behind a reason.
    await click(page, 'a.chip', 'With an exception');
    assert.equal((await numbers()).length, 30);
    await page.click('.parcels details summary');
    assert.match((await text(page, '.parcels details[open] li'))[0], /^204 Delivery failed Kuaidi100$/);
    await click(page, '.parcels tbody th a');
    assert.equal(new URL(page.url()).pathname, '/parcel');
    assert.equal(parameter(page, 'number'), 'ZTO1000');
    assert.equal(parameter(page, 'figure'), null);
    assert.deepEqual(complaints, []);
  },

  async 'codes, lanes, points and cells lead to their parcels'() {
    const count = async (page) => (await page.$$('.parcels tbody tr')).length;
    const { page, complaints } = await open('/exceptions?lang=en');
    await click(page, 'tbody a.figure', '12');
    assert.equal(parameter(page, 'code'), '404');
    assert.equal(parameter(page, 'vendor'), 'kdniao');
    assert.equal(await count(page), 12);
    assert.match((await text(page, 'a.chip[aria-current]')).join(), /Code: 404 /);
    await picture(page, 'parcels-code-en');
    // A field of the heat map.
    const { page: reasons } = await open('/exceptions?lang=en&carrier=zto');
    await press(reasons, () => [...document.querySelectorAll('.chart text')].find((label) => label.textContent === '75.0'));
    assert.equal(parameter(reasons, 'reason'), 'DELIVERY_FAILED');
    assert.equal(await count(reasons), 30);
    const { page: lanes } = await open('/lanes?lang=en');
    await click(lanes, '.tall tbody a.figure', '80');
    assert.equal(parameter(lanes, 'origin'), 'CN44');
    assert.equal(parameter(lanes, 'dest'), 'CN31');
    assert.equal(await count(lanes), 80);
    // A point of the trend, of the week up to its day.
    const { page: trend } = await open('/transit?lang=en&carrier=zto&metric=rate_72h');
    await press(trend, () => [...document.querySelectorAll('.panel')].find((panel) => panel.querySelector('.segments'))?.querySelectorAll('.chart path[transform^="matrix"]')[3]);
    assert.equal(parameter(trend, 'figure'), 'late_72h');
    assert.equal(await count(trend), 10);
    assert.deepEqual(complaints, []);
  },

  async 'parcels come in pages'() {
    const row = (number) => ({
      vendor: 'kuaidi100', carrier: 'sf', tracking_number: number, epoch: '2026-01-01', status: 'DELIVERED', cohort_date: '2026-01-01', picked_up_at: '2026-01-01T04:00:00Z', transit_hours: 20,
      origin: 'CN4403', dest: '', exception_reasons: [], exception_codes: [], counted_at: '2026-01-09T04:00:00Z',
    });
    const next = '["sf","S1","kuaidi100","2026-01-01"]';
    const { page, complaints } = await open('/parcels?lang=en', { answers: { parcels: { rows: [row('S1')], next } } });
    assert.deepEqual(await text(page, '.pages a'), ['Next page']);
    await click(page, '.pages a', 'Next page');
    assert.equal(parameter(page, 'cursor'), next);
    assert.deepEqual(await text(page, '.pages a'), ['First page', 'Next page']);
    await click(page, 'a.chip', 'Open');
    assert.equal(parameter(page, 'cursor'), null, 'another list begins at its first page');
    const { page: wrong } = await open('/parcels?lang=en&figure=all');
    assert.match((await text(wrong, '.state.error'))[0], /There is no such figure/);
    assert.deepEqual(complaints, []);
  },

  async 'a correction by hand stands beside the word of the vendor'() {
    const said = { vendor: 'kuaidi100', account: 'demo', carrier: 'sf', tracking_number: 'SF0000', epoch: '2026-01-01', annotation: 'LOST', annotation_occurred_at: '2026-01-08T00:00:00Z',
      annotation_reason: 'claim <b>88</b>', annotated_by: 'li.wei', annotated_at: '2026-01-09T00:00:00Z', contradicted: true, vendor_status: 'DELIVERED', last_event_at: '2026-01-10T00:00:00Z', heard_at: '2026-01-10T00:00:00Z' };
    for (const [language, width, row, mark] of [
      ['en', 1440, /SF0000\s+SF Express\s+Lost, by hand\s+Delivered\s+contradicts\s+claim <b>88<\/b>\s+li\.wei/, /Lost, by hand\s+li\.wei at [^]*claim <b>88<\/b> – the vendor has said something else since/],
      ['zh', 390, /SF0000\s+顺丰速运\s+人工标记：丢失/, /人工标记：丢失\s+li\.wei，[^]*此后数据商有不同说法/],
    ]) {
      const { page, complaints } = await open(`/attention?lang=${language}`, { width, answers: { annotations: { rows: [said], explanation: null } } });
      assert.match((await text(page, '.panel'))[2], row);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${overflow} px too wide at ${width}`);
      await picture(page, `corrections-${language}-${width}`);
      assert.deepEqual(complaints, []);
      const answer = await (await fetch(`${base}/api/v1/parcel?number=SF0000`)).json();
      Object.assign(answer.rows[0], said, { epoch: answer.rows[0].epoch });
      answer.annotations = [{ ...said, epoch: answer.rows[0].epoch, kind: 'LOST', occurred_at: said.annotation_occurred_at, reason: said.annotation_reason, seen_status: 'IN_TRANSIT', seen_event_at: null }];
      const { page: parcel, complaints: others } = await open(`/parcel?number=SF0000&lang=${language}`, { width, answers: { parcel: answer } });
      assert.match((await text(parcel, '.life'))[0], mark);
      await picture(parcel, `parcel-corrected-${language}-${width}`);
      assert.deepEqual(others, []);
    }
  },

  async 'chips choose what is listed'() {
    const { page, complaints } = await open('/attention?lang=en');
    await click(page, 'a.chip', 'In transit 10');
    assert.equal(parameter(page, 'status'), 'IN_TRANSIT');
    assert.deepEqual(await text(page, '.tally > strong'), ['8', '18'], 'the counts are of all');
    const rows = () => page.$$eval('.panel', (panels) => panels.map((panel) => panel.querySelectorAll('tbody tr').length));
    assert.deepEqual(await rows(), [8, 10, 0, 1]);
    await click(page, 'a.chip', 'In transit 10');
    assert.deepEqual(await rows(), [8, 18, 0, 1]);
    assert.deepEqual(complaints, []);
  },

  async 'a table is saved as a file that a spreadsheet can read'() {
    const { page, complaints } = await open('/exceptions?lang=en');
    const directory = mkdtempSync(join(tmpdir(), 'courierflow-files-'));
    const client = await page.createCDPSession();
    await client.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: directory });
    const panels = await page.$$('.panel');
    assert.equal((await page.$$('button.csv')).length, panels.length, 'each panel has its button');
    await (await page.$$('button.csv'))[1].click();
    const file = join(directory, 'exceptions-codes.csv');
    for (let tries = 0; tries < 100 && !existsSync(file); tries += 1) await new Promise((resolve) => { setTimeout(resolve, 100); });
    assert.deepEqual(readdirSync(directory), ['exceptions-codes.csv']);
    const bytes = readFileSync(file);
    assert.deepEqual([...bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
    const [head, ...rows] = bytes.toString('utf8').slice(1).trimEnd().split('\r\n');
    assert.match(head, /^"vendor","name","parcels"/);
    assert.equal(rows.length, 3);
    assert.deepEqual(complaints, []);
  },

  async 'a parcel is found by a number with quotes in it, and one that is not there is not'() {
    const { page, complaints } = await open('/parcel');
    await page.type('#number', 'o\'brien"1\\');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.life-head');
    await settled(page);
    assert.match((await text(page, '.life-head'))[0], /nobody/);
    await page.click('#number', { clickCount: 3 });
    await page.type('#number', '<img src=x onerror=alert(1)>');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.state.empty');
    await settled(page);
    assert.equal((await text(page, '.panel h2'))[0], '<img src=x onerror=alert(1)>');
    assert.match((await text(page, '.state.empty'))[0], /No parcel of that number/);
    assert.deepEqual(complaints, []);
  },

  async 'subscriptions: what is followed, stuck, used up, and what it costs'() {
    const { page, complaints } = await open('/subscriptions?lang=en');
    assert.equal(await page.title(), 'Subscriptions · courierflow');
    const rows = (heading) => page.$$eval('section', (panels, heading) => {
      const panel = panels.find((panel) => panel.querySelector('h2').textContent === heading);
      const table = panel.querySelector('.scroll > table');
      return [...table.querySelectorAll('tbody tr')].map((row) => row.innerText.replace(/\s+/g, ' '));
    }, heading);
    const covered = await rows('Coverage');
    assert.match(covered[0], /^Kuaidi100 · demo 80 80 62\.5 % .*0 0 161 80$/);
    assert.match(covered[1], /^Kuaidi100 · web 6 3 n = 2 2 2 0 0$/);
    assert.match(covered[2], /^Kdniao · demo 1 0 – 0 0 40 40$/);
    assert.deepEqual(await text(page, '.tally > strong'), ['87', '5']);
    assert.match((await rows('States'))[0], /^Ended – Kuaidi100 · demo SF Express 40 /);
    const quota = await rows('Quota of this month');
    assert.match(quota.find((row) => row.startsWith('Kuaidi100 · web')), /^Kuaidi100 · web \d{4}-\d\d /);
    const cost = await rows('Cost per month, an estimate');
    assert.match((await text(page, 'th'))
      .filter((head) => head.includes('(estimate)')).join(), /^Units \(estimate\),If renewed \(estimate\),Money \(estimate\)$/);
    // A unit of the account web costs 0.5, and nobody says what one of the others does.
    const money = (row) => Number(row.split(' ').at(-1));
    const web = cost.filter((row) => row.includes('Kuaidi100 · web'));
    assert.equal(web.reduce((sum, row) => sum + money(row), 0), 1.5);
    assert.ok(cost.filter((row) => row.includes('demo')).every((row) => row.endsWith(' –')), cost.join('\n'));
    const answers = await rows('Answers by code');
    assert.match(answers[0], /^200 done subscription Kuaidi100 · demo 80 100\.0 % 200 200$/);
    assert.ok(answers.some((row) => /^700 refused subscription Kuaidi100 · web 1 9\.1 % 200 200$/.test(row)), answers.join('\n'));
    const missed = await rows('What pushes missed');
    assert.match(missed[0], /^J&T Express Kdniao 40 8 20\.0 % .*100 8 8\.0 %$/);
    assert.match(missed[1], /^SF Express Kuaidi100 10 0 n = 10 40 0 –$/);
    assert.deepEqual(complaints, []);
  },

  async 'a subscription that needs attention leads to its parcel'() {
    const { page, complaints } = await open('/subscriptions?lang=en');
    const listed = () => text(page, 'tbody a.mono');
    assert.deepEqual(await listed(), ['WEB1', 'WEB2', 'WEB3', 'WEB4', 'WEB5']);
    await click(page, 'a.chip', 'Refused 1');
    assert.equal(parameter(page, 'attention'), 'REJECTED');
    assert.deepEqual(await listed(), ['WEB5']);
    await click(page, 'a.chip', 'Refused 1');
    assert.equal(parameter(page, 'attention'), null);
    await click(page, 'tbody a.mono', 'WEB4');
    assert.equal(new URL(page.url()).pathname, '/parcel');
    assert.equal(parameter(page, 'number'), 'WEB4');
    assert.match((await text(page, '.state.empty'))[0], /No parcel of that number/);
    const life = (await text(page, '.life'))[0];
    assert.match(life, /Kuaidi100 · web\s+Waiting\s+account stopped\s+601\s+since \d{4}-/);
    assert.match(life, /Round\s+1, call 1/);
    assert.match((await text(page, 'tbody tr'))[0], /subscription\s+new\s+Kuaidi100 · web\s+account at fault\s+601\s+KEY已过期\s+200 ms/);
    assert.deepEqual(complaints, []);
  },

  async 'the accounts of the configuration can be chosen, and one without anything says so'() {
    const { page, complaints } = await open('/subscriptions?lang=en');
    await choose(page, 'account', 'web');
    assert.equal(parameter(page, 'account'), 'web');
    assert.deepEqual(await text(page, '.tally > strong'), ['6', '5']);
    const { page: nobody } = await open('/subscriptions?lang=zh&account=nosuch&vendor=17track');
    assert.deepEqual(new Set(await states(nobody)), new Set(['empty']));
    assert.match((await text(nobody, '.state.empty'))[1], /没有订阅/);
    await picture(nobody, 'subscriptions-none-zh');
    const { page: wrong } = await open('/subscriptions?lang=en&attention=lost');
    assert.match((await text(wrong, '.state.error'))[0], /There is no such reason to need attention/);
    assert.deepEqual(complaints, []);
  },

  async 'a parcel shows its subscription and the calls about it'() {
    for (const [language, width] of [['en', 1440], ['zh', 390], ['zh', 1440], ['en', 390]]) {
      const { page, complaints } = await open(`/parcel?lang=${language}&number=${encodeURIComponent('O\'BRIEN"1\\')}`, { width });
      assert.deepEqual(await states(page), ['ready', 'empty', 'ready', 'ready']);
      const life = (await text(page, '.life'))[1];
      assert.match(life, language === 'en' ? /Round\s+2, call 3/ : /第 2 轮，第 3 次调用/);
      assert.match(life, /yuantong/);
      const calls = (await text(page, 'tbody tr')).map((row) => row.replace(/\s+/g, ' '));
      assert.equal(calls.length, 3);
      assert.match(calls[1], language === 'en' ? /subscription repeated Kuaidi100 · web not known whether done – – 10,000 ms –$/ : /订阅 重试 快递100 · web 结果不明 – – 10,000 ms –$/);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${overflow} px too wide at ${width}`);
      await picture(page, `parcel-subscription-${language}-${width}`);
      assert.deepEqual(complaints, []);
    }
    const { page: plain } = await open('/parcel?lang=en&number=YTO6000');
    assert.deepEqual(await states(plain), ['ready', 'empty', 'empty', 'empty']);
  },

  async 'an order shows how far it is and leads to its parcels, and its name is found where a number is looked for'() {
    for (const [language, width] of [['en', 1440], ['zh', 390], ['zh', 1440], ['en', 390]]) {
      const { page, complaints } = await open(`/order?lang=${language}&reference=order-WEB1`, { width });
      assert.deepEqual(await states(page), ['ready']);
      assert.match((await text(page, '.life-head'))[0], language === 'en' ? /Kuaidi100 · web\s*On its way/ : /快递100 · web\s*在途/);
      assert.match((await text(page, 'tbody tr'))[0], language === 'en' ? /^WEB1\s*YTO Express\s*No push yet/ : /^WEB1\s*圆通速递\s*尚无推送/);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${overflow} px too wide at ${width}`);
      await picture(page, `order-${language}-${width}`);
      assert.deepEqual(complaints, []);
    }
    const { page } = await open('/parcel?lang=en&number=order-WEB1');
    await click(page, '.state.empty a', 'Look for an order order-WEB1');
    await page.waitForSelector('.life-head');
    await settled(page);
    assert.equal(new URL(page.url()).search, '?lang=en&reference=order-WEB1');
    await click(page, 'tbody a', 'WEB1');
    await page.waitForSelector('.panel h2');
    await settled(page);
    assert.equal((await text(page, '.panel h2'))[0], 'WEB1');
    const { page: nobody } = await open('/order?lang=en&reference=nosuch');
    assert.match((await text(nobody, '.state.empty'))[0], /No order of that name.*order nosuch/s);
    const { page: wrong } = await open(`/order?lang=en&reference=${encodeURIComponent('a b')}`);
    assert.match((await text(wrong, '.panel'))[0], /is no name of an order/);
  },

  async 'an address that cannot be answered says so'() {
    const { page } = await open('/?from=2026-02-02&to=2026-02-01&lang=en');
    assert.match((await text(page, '.state.error'))[0], /The first day is after the last one/);
    const { page: decade } = await open('/?from=2016-01-01&to=2026-01-01&lang=zh');
    assert.match((await text(decade, '.state.error'))[0], /日期范围超过/);
    await decade.screenshot({ path: `${pictures}/error-zh.png` });
    const { page: unknown } = await open('/?carrier=nosuch&lang=en');
    assert.match((await text(unknown, '.state.empty'))[0], /nosuch \(not in the list of known carriers\)/);
    await click(unknown, '.languages button', '中文');
    assert.match((await text(unknown, '.state.empty'))[0], /快递公司 nosuch（不在已知快递公司之列）/);
  },

  async 'how it is going is asked again by itself'() {
    const readiness = (part) => ({ ready: part.ready, parts: { 'derive-0': part, 'sink-push': { ready: true, degraded: { clickhouse: 'one replica is away' } } } });
    const answers = { process: { readiness: readiness({ ready: true }), samples: [] } };
    const { page, complaints } = await open('/pipeline?lang=en', { answers });
    const facts = async () => (await text(page, '.fact')).map((fact) => fact.replace(/\s+/g, ' '));
    assert.match((await text(page, '.light.good'))[0], /^ready\s+all 2 parts$/);
    assert.deepEqual((await text(page, '.parts li')).map((part) => part.replace(/\s+/g, ' ')), ['derive-0 ready', 'sink-push ready, with trouble outside clickhouse: one replica is away']);
    // What the vendors follow, and what their pushes leave out.
    for (const fact of ['87 Subscriptions', '5 Needs attention', '50 Audited (n)', '16.0 % With missed events']) assert.ok((await facts()).includes(fact), await facts());
    answers.process = {
      readiness: readiness({ ready: false, reason: 'restoring partitions [5]', last_failure: 'the broker is away' }),
      samples: [{ name: 'courierflow_derive_dead_letters_total', labels: { reason: 'too_large' }, value: 3 }],
    };
    await page.waitForFunction(() => document.querySelector('.light.bad'), { timeout: 60000 });
    assert.match((await text(page, '.light'))[0], /^not ready\s+1 of 2 parts are not$/);
    assert.match((await text(page, '.parts .bad'))[0], /derive-0 not ready\s+restoring partitions \[5\]\s+began again after: the broker is away/);
    assert.ok((await facts()).includes('3 dead letters since the start'), await facts());
    assert.match((await text(page, 'tbody')).join(' '), /too_large\s+derive\s+3/);
    await picture(page, 'pipeline-not-ready-en');
    assert.deepEqual(complaints, []);
  },

  async 'stages that nobody told are hatched up to the whole, with the parcels of each'() {
    for (const [language, carrier, unknown, first] of [['en', 'SF Express', 'Not known which', 'Waiting for pick-up'], ['zh', '顺丰速运', '环节不明', '待揽收']]) {
      const { page, complaints } = await open(`/transit?lang=${language}`);
      const panel = await page.evaluateHandle((unknown) => [...document.querySelectorAll('.panel')].find((panel) => panel.querySelector('.chart')?.textContent.includes(unknown)), unknown);
      const head = await panel.$$eval('th[scope=col]', (heads) => heads.map((head) => head.textContent));
      assert.equal(head[1], first);
      const row = (await panel.$$eval('.as-table tbody tr', (rows) => rows.map((row) => row.innerText.replace(/\s+/g, ' ')))).find((row) => row.startsWith(carrier));
      // Of 20 hours two are known, those of the last mile; the others are no zeros.
      const h = language === 'en' ? 'h' : '小时';
      assert.equal(row, `${carrier} – (n = 0) – (n = 0) – (n = 0) – (n = 0) 2.0 ${h} (n = 40) 20.0 ${h} (n = 40)`);
      // A hatched bar for each of the three carriers, nine times as long as the last mile of this one.
      const widths = await panel.$$eval('.chart path', (paths) => {
        const width = (path) => path.getBoundingClientRect().width;
        const hatched = paths.filter((path) => path.getAttribute('fill')?.startsWith('url(') && width(path) > 20);
        return { hatched: hatched.map(width), known: paths.filter((path) => path.getAttribute('fill') === '#e07a1f' && width(path) > 15).map(width) };
      });
      assert.ok(widths.hatched.length >= 3, JSON.stringify(widths));
      assert.ok(widths.known.some((known) => widths.hatched.some((hatched) => Math.abs(hatched / known - 9) < 0.5)), JSON.stringify(widths));
      await picture(page, `stages-${language}`);
      assert.deepEqual(complaints, []);
    }
  },

  async 'on a telephone filters are folded, names stay, and heads are explained to a finger'() {
    const { page, complaints } = await open('/?lang=en&vendor=kuaidi100', { width: 390, height: 844, touch: true });
    const isSeen = () => page.$eval('.filters', (filters) => filters.checkVisibility());
    assert.equal(await isSeen(), false);
    assert.match((await text(page, '.fold'))[0], /^Filters\s+\d{4}-\d\d-\d\d – \d{4}-\d\d-\d\d, 1 more$/);
    assert.ok(await page.$eval('main', (main) => main.getBoundingClientRect().top) < 200, 'figures begin in the upper quarter');
    await page.tap('.fold');
    assert.equal(await isSeen(), true);
    await choose(page, 'vendor', '');
    assert.equal(await isSeen(), true, 'they stay open for another choice');
    await page.tap('.fold');
    // The first column stays where it is.
    const left = () => page.$eval('.league tbody th', (cell) => Math.round(cell.getBoundingClientRect().left));
    await page.$eval('.league', (box) => { box.scrollLeft = 0; });
    const before = await left();
    await page.$eval('.league', (box) => { box.scrollLeft = 300; });
    assert.ok(Math.abs(await left() - before) <= 16, `${before} became ${await left()}`);
    await page.tap('.glossary summary');
    const told = await text(page, '.glossary[open] dl > div');
    assert.ok(told.some((entry) => /^≤ 48 h\s+Delivered within 48 hours of the pick-up/.test(entry)), told.join('\n'));
    // What is said of a single figure, too.
    await page.$eval('.league', (box) => { box.scrollLeft = 0; });
    const few = await page.evaluateHandle(() => [...document.querySelectorAll('.league td > [title]')].find((element) => /^Only/.test(element.title)));
    await few.asElement().evaluate((element) => element.scrollIntoView({ block: 'center', inline: 'center' }));
    await few.asElement().tap();
    assert.match((await text(page, '.tip:popover-open'))[0], /^Only \d+ parcels: a figure would be chance$/);
    assert.deepEqual(complaints, []);
  },

  async 'days are typed and chosen in the language of the page, whatever the browser speaks'() {
    const { page, complaints } = await open('/?lang=zh', { language: 'en-US' });
    const value = () => page.$eval('input[name="from"]', (input) => input.value);
    const type = async (typed) => {
      await page.click('input[name="from"]', { clickCount: 3 });
      await page.type('input[name="from"]', typed);
      await page.keyboard.press('Enter');
    };
    await type('2026-02-31');
    assert.equal(await page.$eval('input[name="from"]', (input) => input.validationMessage), '日期请写成 2026-11-03。');
    await page.reload();
    await settled(page);
    // Another day of the same month, so that it is before the last one.
    const [year, month, day] = (await value()).split('-');
    const other = day === '01' ? 2 : 1;
    await type(`${year}年${Number(month)}月${other}日`);
    await settled(page);
    assert.equal(parameter(page, 'from'), `${year}-${month}-0${other}`);
    await page.click('.pick.calendar summary');
    await page.waitForSelector('calendar-month');
    await page.waitForFunction(() => /月.*一.*二.*三/s.test(document.querySelector('calendar-month')?.shadowRoot?.textContent));
    await page.screenshot({ path: `${pictures}/calendar-zh.png` });
    await page.$eval('calendar-month', (shown) => [...shown.shadowRoot.querySelectorAll('button')].find((button) => button.textContent.trim() === '3').click());
    await settled(page);
    assert.equal(parameter(page, 'from'), `${year}-${month}-03`);
    await page.click('.pick.calendar summary');
    await page.waitForSelector('calendar-month');
    await page.keyboard.press('Escape');
    assert.equal(await page.$('.pick.calendar[open]'), null);
    assert.deepEqual(complaints, []);
  },

  async 'on paper there are the figures and what was asked for'() {
    const { page, complaints } = await open('/lanes?lang=en');
    await page.emulateMediaType('print');
    await page.setViewport({ width: 700, height: 1000 });
    const isSeen = (selector) => page.$eval(selector, (element) => element.checkVisibility());
    for (const gone of ['nav', '.tools', '.panel .head .tools', '.presets']) assert.equal(await isSeen(gone), false, gone);
    for (const there of ['input[name="from"]', '.chart', '.tall tbody']) assert.equal(await isSeen(there), true, there);
    assert.equal(await page.$eval('.tall', (box) => getComputedStyle(box).overflowY), 'visible', 'long tables are not cut');
    const chart = await page.$eval('.chart svg', (svg) => ({ width: svg.getBoundingClientRect().width, height: svg.getBoundingClientRect().height }));
    assert.ok(chart.width > 300 && chart.width <= 700 && chart.height > 50, JSON.stringify(chart));
    await page.pdf({ path: `${pictures}/lanes-en.pdf`, format: 'A4', printBackground: true });
    assert.deepEqual(complaints, []);
  },

  async 'an address of nothing says so and leads on'() {
    for (const [language, words] of [['en', /There is no such page\s+\/nosuch/], ['zh', /没有这个页面\s+\/nosuch/]]) {
      const { page } = await open(`/nosuch?lang=${language}`);
      assert.match((await text(page, '.panel'))[0], words);
      assert.equal(await page.$('nav a[aria-current]'), null);
      await page.click('.panel a[href^="/lanes"]');
      await settled(page);
      assert.equal(new URL(page.url()).pathname, '/lanes');
    }
    const { page, complaints } = await open('/transit/of/nothing?lang=en');
    assert.equal(new URL(page.url()).pathname, '/transit');
    assert.deepEqual(complaints, []);
  },

  async 'a parcel shows its promise, its estimate, whether they were kept, and where its pushes lie'() {
    for (const [language, promise, estimate] of [
      ['en', /72 h to the first attempt \(national standard\), until \d{4}-\d\d-\d\d 12:00 kept/, /\d{4}-\d\d-\d\d 18:00 kept/],
      ['zh', /揽收后 72 小时内首次派送（国家标准）, 截至 \d{4}-\d\d-\d\d 12:00 达成/, /\d{4}-\d\d-\d\d 18:00 达成/],
    ]) {
      for (const width of [1440, 390]) {
        const { page, complaints } = await open(`/parcel?number=SF0000&lang=${language}`, { width });
        const details = (await text(page, '.details'))[0].replace(/\s+/g, ' ');
        assert.match(details, promise);
        assert.match(details, estimate);
        await picture(page, `parcel-promise-${language}-${width}`);
        assert.deepEqual(complaints, []);
      }
    }
    const { page } = await open('/parcel?number=ZTO2000&lang=en');
    assert.match((await text(page, '.details .badge.bad'))[0], /^missed$/);
    const { page: pushed } = await open('/parcel?number=SF3&lang=en');
    assert.match((await text(pushed, 'tbody tr')).join().replace(/\s+/g, ' '), /courier\.push\.v1 0 3 Kuaidi100 · demo polling push verified 3 1,000/);
  },

  async 'a map of China is loaded when it is asked for, and leads to lanes'() {
    const provinces = (await (await fetch(`${base}/api/v1/catalog`)).json()).provinces.map(({ zh }) => zh);
    const shapes = JSON.parse(readFileSync(new URL('../node_modules/echarts-4-maps/map/json/china.json', import.meta.url), 'utf8')).features.map(({ properties }) => properties.name);
    assert.deepEqual(shapes.sort(), provinces.sort(), 'each province has its shape');
    for (const [language, width, label, opens] of [['en', 1440, 'Shanghai', 'Show the map'], ['zh', 390, null, '显示地图']]) {
      const { page, complaints } = await open(`/lanes?lang=${language}`, { width });
      const loaded = () => page.evaluate(() => performance.getEntriesByType('resource').some(({ name }) => /china-/.test(name)));
      assert.equal(await loaded(), false);
      await click(page, 'button.main', opens);
      assert.equal(await loaded(), true);
      assert.equal(parameter(page, 'map'), '1');
      const texts = () => page.$$eval('.chart', (charts) => [...charts.at(-1).querySelectorAll('text')].map((text) => text.textContent));
      if (label) assert.ok((await texts()).includes(label), await texts());
      await picture(page, `china-${language}-${width}`);
      if (label) {
        await click(page, '.segments button', 'Origin');
        assert.equal(parameter(page, 'side'), 'origin');
        await press(page, () => [...[...document.querySelectorAll('.chart')].at(-1)?.querySelectorAll('text') ?? []].find((text) => text.textContent === 'Zhejiang'),
          () => new URL(location).searchParams.get('origin') === 'CN33');
      }
      assert.deepEqual(complaints, []);
    }
  },

  async 'everything can be reached by keyboard'() {
    const { page } = await open('/');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'skip');
    const reached = [];
    for (let presses = 0; presses < 60; presses += 1) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate(() => `${document.activeElement.tagName} ${document.activeElement.name ?? ''} ${document.activeElement.dataset.key ?? ''} ${document.activeElement.getAttribute('href') ?? ''}`));
    }
    for (const wanted of ['A', 'INPUT from', 'SUMMARY', 'SELECT vendor', 'SELECT origin', 'BUTTON  p50', 'A   /transit?carrier=sf']) {
      assert.ok(reached.some((element) => element.startsWith(wanted)), `${wanted} is not among\n${reached.join('\n')}`);
    }
    // Enter sorts, and the focus stays where it was.
    await page.focus('button[data-key="parcels"]');
    await page.keyboard.press('Enter');
    assert.equal(parameter(page, 'sort'), 'parcels');
    assert.equal(await page.evaluate(() => document.activeElement.dataset.key), 'parcels');
    await page.focus('.carriers > summary');
    await page.keyboard.press('Space');
    // Past the field that finds others.
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await settled(page);
    assert.ok(parameter(page, 'carrier'));
    assert.equal(await page.evaluate(() => document.activeElement.name), 'carrier');
  },
};

const away = {
  async 'every view says that ClickHouse does not answer'() {
    for (const [language, words] of [['en', /ClickHouse does not answer/], ['zh', /ClickHouse 没有响应/]]) {
      for (const view of ['', 'transit', 'exceptions', 'lanes', 'attention', 'parcels', 'subscriptions', 'parcel', 'pipeline']) {
        const { page } = await open(`/${view}?lang=${language}${view === 'parcel' ? '&number=1' : ''}`);
        const shown = await text(page, '.state.error');
        assert.ok(shown.length >= 1, view);
        for (const error of shown) assert.match(error, words);
        if (view === '') await picture(page, `away-${language}`);
        await page.close();
      }
    }
  },
};

let failed = 0;
for (const [name, test] of Object.entries({ figures: tests, away }[scenario])) {
  try {
    await test();
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
  for (const page of (await browser.pages()).slice(1)) await page.close();
}
await browser.close();
process.exit(failed ? 1 : 0);
