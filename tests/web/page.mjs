// A page as people see it: a file in Debian's Chromium.
//
//   await withPage('graph.html', async page => {     // a page of Playwright's
//     await page.click('text=Encoder');
//   });                                              // throws if the page asked for the network or complained
import assert from 'node:assert/strict';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {chromium} from 'playwright-core';

export class Browser {
  static async launch() {
    const browser = new Browser();
    browser.chromium = await chromium.launch({
      executablePath: process.env.WEFT_CHROMIUM ?? '/usr/bin/chromium',
      args: process.getuid() === 0 ? ['--no-sandbox'] : [],  // Chromium's sandbox refuses to work for root
    });
    return browser;
  }

  // What a page must not do, each as a line; filled as it happens.
  complaints = [];

  // `options` of Playwright's newContext: viewport, colorScheme ….
  async open(file, options = {}) {
    const address = pathToFileURL(path.resolve(file)).href;
    const context = await this.chromium.newContext({viewport: {width: 1280, height: 800}, ...options});
    const page = await context.newPage();
    page.on('request', request => {
      const url = request.url().split('#')[0];
      if (url !== address && !/^(blob|data):/.test(url)) this.complaints.push(`request: ${url}`);
    });
    page.on('console', message => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(`console: ${message.text()}`);
    });
    page.on('pageerror', error => this.complaints.push(`error: ${error.stack ?? error}`));
    page.on('dialog', dialog => {
      this.complaints.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    await page.goto(address);
    return page;
  }

  async close() {
    await this.chromium.close();
    assert.deepEqual(this.complaints, []);
  }
}

// Opens `file`, lets `look` do what it likes with the page, and closes the browser whatever comes of it.
export async function withPage(file, look, options = {}) {
  const browser = await Browser.launch();
  try {
    await look(await browser.open(file, options));
  } catch (error) {
    if (browser.complaints.length > 0) error.message += `\nthe page complained: ${browser.complaints.join('; ')}`;
    browser.complaints = [];
    throw error;
  } finally {
    await browser.close();
  }
}
