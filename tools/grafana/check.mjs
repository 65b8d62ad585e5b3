// Type-checks the dashboard's JSON: writes it into a TypeScript file that says
// `satisfies Dashboard`, with the types of Grafana's own @grafana/schema, and runs
// tsc. The file itself, and not an import of it: TypeScript widens the strings of
// an imported JSON file, and does not look for properties that do not exist.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const file = process.argv[2] ?? join(here, '../../metrics/dashboards/fastdrain.json');
const out = join(here, 'build/dashboard.ts');

const json = readFileSync(file, 'utf8');
const { schemaVersion } = JSON.parse(json);
const schema = JSON.parse(readFileSync(join(here, 'node_modules/@grafana/schema/package.json'), 'utf8'));
const { defaultDashboard } = await import('@grafana/schema');
if (schemaVersion !== defaultDashboard.schemaVersion) {
  console.error(`the dashboard has schema version ${schemaVersion}, @grafana/schema ${schema.version} has ${defaultDashboard.schemaVersion}`);
  process.exit(1);
}

mkdirSync(dirname(out), { recursive: true });
writeFileSync(
  out,
  `import type { Dashboard } from '@grafana/schema';
import type { FastdrainDashboard, JSONOf } from '../schema';

export const dashboard = ${json.trim()} satisfies FastdrainDashboard;

dashboard satisfies JSONOf<Dashboard>;
`,
);
try {
  execFileSync(
    process.execPath,
    [require.resolve('typescript/bin/tsc'), '--noEmit', '--strict', '--skipLibCheck',
      '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler', '--pretty', 'false', out],
    { stdio: 'inherit', cwd: here },
  );
} catch {
  console.error(`${relative('.', file)} does not satisfy @grafana/schema ${schema.version}`);
  process.exit(1);
}
console.log(`${relative('.', file)} satisfies Dashboard of @grafana/schema ${schema.version}`);
