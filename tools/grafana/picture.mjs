// Draws the dashboard with the answers of a real Prometheus (which
// tools/observe/record has recorded), in headless Chromium, with the components
// of Grafana's npm packages. It is not Grafana: see picture/panels.tsx for the
// panel that these packages do not have.
//
//	node picture.mjs RECORDING.json OUT.png
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const [recording, out] = process.argv.slice(2);
if (!recording || !out) {
  console.error('usage: node picture.mjs RECORDING.json OUT.png');
  process.exit(2);
}
const limit = 300_000; // bytes of the picture
const width = 1500;

const work = join(here, 'build');
mkdirSync(work, { recursive: true });
const bundle = await build({
  entryPoints: [join(here, 'picture/page.tsx')],
  bundle: true,
  outdir: work,
  write: false,
  minify: true,
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}', global: 'window' },
  loader: { '.svg': 'dataurl', '.woff2': 'dataurl', '.woff': 'dataurl', '.ttf': 'dataurl', '.png': 'dataurl' },
  logLevel: 'error',
});
const text = (ext) => bundle.outputFiles.filter((f) => f.path.endsWith(ext)).map((f) => f.text).join('\n');
const dashboard = readFileSync(join(here, '../../metrics/dashboards/fastdrain.json'), 'utf8');
const inline = (s) => s.replaceAll('</script', '<\\/script');
const page = join(work, 'page.html');
writeFileSync(
  page,
  `<!doctype html><meta charset="utf-8"><style>body { margin: 0 }\n${text('.css')}</style><div id="page"></div>
<script>window.dashboard = ${inline(dashboard)}; window.recording = ${inline(readFileSync(recording, 'utf8'))};</script>
<script>${inline(text('.js'))}</script>`,
);

const rows = JSON.parse(dashboard).panels.map((p) => p.gridPos.y + p.gridPos.h);
const height = Math.max(...rows) * 38 + 16;
// The sandbox does not work as root, and the page is our own.
const chromium = (...args) =>
  execFileSync('chromium', [
    '--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--force-device-scale-factor=1',
    '--virtual-time-budget=10000', `--window-size=${width},${height}`, ...args, pathToFileURL(page).href,
  ], { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8', maxBuffer: 1 << 28, timeout: 120_000 });

// A panel that failed leaves its message in the title.
const failed = /<title>(failed:[^<]*)/.exec(chromium('--dump-dom'));
if (failed) {
  console.error(failed[1]);
  process.exit(1);
}
const png = resolve(out);
chromium(`--screenshot=${png}.new.png`);
const { size } = statSync(`${png}.new.png`);
if (size > limit) {
  console.error(`the picture has ${size} bytes, more than ${limit}`);
  process.exit(1);
}
renameSync(`${png}.new.png`, png);
console.log(`${out}: ${width}x${height}, ${size} bytes`);
