import type { Visit } from './installation';

/**
 * One load of a page for all four looks. Of axe's rules only the contrast of colours tells the themes apart: each width meets every rule once, each theme its
 * colours at both.
 */
const looks = [{ width: 1440, scheme: 'light', rules: 'all' }, { width: 375, scheme: 'light', rules: 'contrast' }, { width: 375, scheme: 'dark', rules: 'all' }, { width: 1440, scheme: 'dark', rules: 'contrast' }] as const;

/**
 * What a pointer can press and the keyboard cannot reach. React keeps what it listens for on the elements themselves; what lets the press rise from something
 * that can be reached, as a text with links in it, is left out.
 */
const unreachable = () => {
  const reachable = 'a[href], button, input, select, textarea, summary, label, [tabindex], [role=option]';
  const listens = (element: Element) => Object.entries(element).some(([name, props]) => name.startsWith('__reactProps$') && typeof (props as { onClick?: unknown }).onClick === 'function');
  return [...document.querySelectorAll('body *')].filter((element) => listens(element) && element.closest(reachable) === null && element.querySelector(reachable) === null).map((element) => element.outerHTML.slice(0, 120));
};

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
      for (const element of await page.evaluate(unreachable)) problems.push(`${name} at ${width} px: no key reaches ${element}`);
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (wider > 0) problems.push(`${name}: ${wider} px wider than the window of ${width} px`);
    }
  }
  return problems;
}
