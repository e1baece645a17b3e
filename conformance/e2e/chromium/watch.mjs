// Starts Chromium, and writes down what no page of ours may do: fail in a script, break its own policy, ask another
// host for anything.
import { chromium } from 'playwright-core';

const program = process.env.PORTCULLIS_CHROMIUM ?? '/usr/bin/chromium-headless-shell';

export async function start() {
  return chromium.launch({
    executablePath: program,
    // The suite may run as root, where Chromium has no sandbox. Names are not looked up: loopback only.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE [::1]'],
  });
}

export function watch(page, complaints) {
  page.on('pageerror', (error) => complaints.push(`script: ${error.message}`));
  page.on('console', (message) => {
    // An answer with an error status is the test's own affair.
    const answered = message.text().startsWith('Failed to load resource: the server responded with a status of');
    if (['error', 'warning'].includes(message.type()) && !answered) complaints.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    const ours = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
    if (url.protocol.startsWith('http') && !ours) complaints.push(`request to ${url.host}`);
  });
}
