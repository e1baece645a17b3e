#!/usr/bin/env node
// The browser of somebody who signs in as alice and agrees to whatever is asked: for programs that open the browser
// named by BROWSER. Takes the address; ends when the browser has come to another page of the program that asked, or
// to one that says nothing more is to be done.
import { start, watch } from './watch.mjs';

const [address] = process.argv.slice(2);
const complaints = [];
const browser = await start();
const page = await browser.newPage();
page.setDefaultTimeout(10_000);
watch(page, complaints);
await page.goto(address);
const agree = page.getByRole('button', { name: /^(sign in|sign-in|allow|accept|continue|yes)/i }).first();
for (let step = 0; step < 8 && (await agree.isVisible()); step += 1) {
  for (const field of await page.locator('input:not([type=hidden]):not([type=checkbox])').all()) {
    if (!(await field.inputValue())) await field.fill(process.env.SIGN_IN_AS ?? 'alice');
  }
  await Promise.all([page.waitForEvent('framenavigated'), agree.click()]);
  await page.waitForLoadState();
}
console.log(await page.locator('body').innerText());
complaints.forEach((complaint) => console.error(complaint));
await browser.close();
process.exitCode = complaints.length === 0 ? 0 : 1;
