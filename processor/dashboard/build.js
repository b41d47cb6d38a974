// Bundles the dashboard into dist/: hashed files that browsers may keep for ever, the page that names them, and each of them
// compressed. `npm run build`; the processor embeds what is in dist/.
import { build } from 'esbuild';
import { gzipSync } from 'node:zlib';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

const out = 'dist';
rmSync(out, { recursive: true, force: true });
mkdirSync(out);

const { metafile } = await build({
  entryPoints: ['src/main.js', 'src/style.css'],
  outdir: `${out}/assets`,
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  bundle: true,
  // What is imported when it is needed is a file of its own.
  splitting: true,
  minify: true,
  charset: 'utf8',
  format: 'esm',
  target: ['es2022'],
  metafile: true,
  legalComments: 'none',
  // What the licences of the bundled libraries ask for: their notices travel with the program.
  banner: { js: '/*! with Apache ECharts and zrender, Apache-2.0 and BSD-3-Clause; tslib, 0BSD; the map of Apache ECharts 4, Apache-2.0; Cally and Atomico, MIT */' },
  logLevel: 'warning',
});

const named = (source) => basename(Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === source)[0]);
const page = readFileSync('src/index.html', 'utf8')
  .replace('main.js', `assets/${named('src/main.js')}`)
  .replace('style.css', `assets/${named('src/style.css')}`);
writeFileSync(`${out}/index.html`, page);
writeFileSync(`${out}/favicon.svg`, readFileSync('src/favicon.svg'));

for (const path of readdirSync(out, { recursive: true, withFileTypes: true })) {
  if (!path.isFile()) continue;
  const file = `${path.parentPath ?? path.path}/${path.name}`;
  // Level 9 without a time stamp in the header: the same sources give the same bytes.
  writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
}
