import type { Visit } from './installation';

/**
 * One load of a page for all four looks. Of axe's rules only the contrast of colours tells the themes apart: each width meets every rule once, each theme its
 * colours at both.
 */
const looks = [{ width: 1440, scheme: 'light', rules: 'all' }, { width: 375, scheme: 'light', rules: 'contrast' }, { width: 375, scheme: 'dark', rules: 'all' }, { width: 1440, scheme: 'dark', rules: 'contrast' }] as const;

/** Opens each page by its address, at both widths and in both themes, with a picture of each in artifacts/real; what is wrong with any of them. */
export async function lookAt(visit: Visit, pages: [name: string, path: string][]): Promise<string[]> {
  const problems: string[] = [];
  const { page } = visit;
  await page.locator('h1').first().waitFor();
  for (const [name, path] of pages) {
    await page.goto(visit.installation.url + path);
    // Under a sheet that covers the page a heading is in sight but no longer in the tree of roles.
    await page.locator('h1').first().waitFor();
    await page.waitForFunction(() => !document.querySelector('[role=status] .breathing'));
    for (const { width, scheme, rules } of looks) {
      await page.setViewportSize({ width, height: width === 375 ? 812 : 900 });
      await page.emulateMedia({ colorScheme: scheme });
      await page.waitForFunction((theme) => document.documentElement.dataset.theme === theme && document.getAnimations().every(({ playState }) => playState === 'finished'), scheme);
      await visit.screenshot(`${name}-${width}-${scheme}`);
      for (const violation of await visit.violations(rules)) problems.push(`${name} at ${width} px, ${scheme}: ${violation}`);
      for (const alert of await page.getByRole('alert').allInnerTexts()) problems.push(`${name}: shows an error: ${alert}`);
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (wider > 0) problems.push(`${name}: ${wider} px wider than the window of ${width} px`);
    }
  }
  return problems;
}
