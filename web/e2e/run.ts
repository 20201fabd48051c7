/** Runs the flows one after the other, tells of each, and fails when one did: `npm run e2e [part of a name]`. */
import { launch } from './browser.ts';
import { up } from './support.ts';

process.env['CODEMENTOR_URL'] = up.url;
const { FLOWS } = await import('./flows.ts');
const browser = await launch();
const wanted = process.argv[2] ?? '';
let failed = 0;
for (const [name, flow] of Object.entries(FLOWS)) {
  if (!name.includes(wanted)) continue;
  const begun = Date.now();
  try {
    const faults = await flow(browser);
    if (faults.length > 0) throw new Error(faults.join('\n'));
    console.log(`ok    ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n${error instanceof Error ? error.message : String(error)}`);
    for (const context of browser.contexts()) {
      const [page] = context.pages();
      if (page && process.env['E2E_PICTURES']) await page.screenshot({ path: `${process.env['E2E_PICTURES']}/fail-${failed}.png` });
      await context.close();
    }
  }
}
await browser.close();
process.exitCode = failed > 0 ? 1 : 0;
