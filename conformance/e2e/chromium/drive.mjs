// Drives one page for a test: a command a line on standard input, an answer a line on standard output, both JSON.
// Fields and buttons are found by their labels, as a person or a screen reader finds them.
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { start, watch } from './watch.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const complaints = [];
const browser = await start();
const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
context.setDefaultTimeout(15_000);
let page = await context.newPage();
watch(page, complaints);

const commands = {
  open: async ({ url }) => (await page.goto(url))?.status() ?? 0,
  fill: ({ label, value }) => page.getByLabel(label, { exact: true }).fill(value),
  // For a field that somebody else's page left without a label.
  write: ({ selector, value }) => page.locator(selector).first().fill(value),
  choose: ({ label, value }) => page.getByLabel(label, { exact: true }).selectOption({ label: value }),
  press: ({ name }) => page.getByRole('button', { name, exact: true }).first().click(),
  // Presses a button that opens a window of its own, and goes on there.
  popup: async ({ name }) => {
    const [popup] = await Promise.all([context.waitForEvent('page'), commands.press({ name })]);
    watch(popup, complaints);
    page = popup;
  },
  // Goes on in the first window.
  back: () => { page = context.pages()[0]; },
  follow: ({ name }) => page.getByRole('link', { name, exact: true }).first().click(),
  key: ({ name }) => page.keyboard.press(name),
  // Waits until the page says so.
  see: ({ text }) => page.getByText(text).first().waitFor(),
  at: async ({ start }) => {
    await page.waitForURL((url) => url.href.startsWith(start), { waitUntil: 'commit' });
    return page.url();
  },
  url: () => page.url(),
  text: () => page.locator('body').innerText(),
  value: ({ label }) => page.getByLabel(label, { exact: true }).inputValue(),
  // Calls a function of the page's own script, and answers with what it returns.
  call: ({ name, args }) => page.evaluate(([called, values]) => window.page[called](...values), [name, args]),
  html: () => page.content(),
  focused: () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? ''),
  clipboard: () => page.evaluate(() => navigator.clipboard.readText()),
  // Whether the page is wider than the window.
  overflows: () => page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth),
  look: ({ scheme, width }) => Promise.all([
    page.emulateMedia({ colorScheme: scheme }),
    page.setViewportSize({ width, height: 800 }),
  ]),
  screenshot: ({ path }) => page.screenshot({ path, fullPage: true }),
  accessibility: async () => {
    // Into the debugger, not into the page: its policy allows no such script.
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
    return found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
  },
  // What was written down so far, which empties the list.
  complaints: () => complaints.splice(0),
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    const answer = await commands[command.do](command);
    console.log(JSON.stringify({ answer: answer ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: `${command.do} at ${page.url()}: ${error.message}` }));
  }
}
await browser.close();
