// What the tests of pages rest on: a page that asks for the network, or complains, is found out.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import {Browser} from './page.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'weft-page-'));
test.after(() => fs.rmSync(folder, {recursive: true}));

async function complaintsOf(body) {
  const file = path.join(folder, 'page.html');
  fs.writeFileSync(file, `<!DOCTYPE html><link rel="icon" href="data:,"><title>A page</title>${body}`);
  const browser = await Browser.launch();
  const page = await browser.open(file);
  await page.waitForFunction(() => document.readyState === 'complete');
  await page.waitForTimeout(100);
  const {complaints} = browser;
  browser.complaints = [];
  await browser.close();
  return complaints;
}

const pages = {
  'a plain page is fine': ['<p>text', /^$/],
  'an image of its own is fine': ['<img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">', /^$/],
  'another file is a request': ['<script src="other.js"></script>', /^request: file:.*other\.js/],
  'the network is a request': ['<script>fetch("http://127.0.0.1:9/x").catch(() => {})</script>', /^request: http:/],
  'a warning is a complaint': ['<script>console.warn("careful")</script>', /^console: careful/],
  'an exception is a complaint': ['<script>throw new Error("broken")</script>', /^error: Error: broken/],
  'a rejected promise is a complaint': ['<script>Promise.reject(new Error("late"))</script>', /^error: Error: late/],
  'an alert is a complaint': ['<script>alert(1)</script>', /^dialog: 1/],
};
for (const [name, [body, expected]] of Object.entries(pages)) {
  test(name, async () => assert.match((await complaintsOf(body)).join('\n'), expected));
}
