// Where titles go and how sure they say a label is, without a browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { placeTitles, sureness } from "../../crates/fer-web/src/page/assets/faces/titles.js";

const picture = { width: 640, height: 480 };
const title = { width: 150, height: 25 };
const face = (x, y, w) => ({ x, y, w, h: w, ...title });

function overlaps(a, b) {
  return a.left < b.x + b.w && b.x < a.left + title.width && a.top < b.y + b.h && b.y < a.top + title.height;
}

test("a title stands above its box, or inside the picture where there is no room", () => {
  assert.deepEqual(placeTitles([face(100, 100, 80)], picture, 6), [{ left: 100, top: 69 }]);
  const [low] = placeTitles([face(600, 2, 40)], picture, 6);
  assert.ok(low.left + title.width <= picture.width && low.top >= 0, JSON.stringify(low));
});

test("no title covers another face or another title, wherever two faces stand", () => {
  let n = 0;
  for (let x = 0; x <= 560; x += 20) {
    for (let y = 0; y <= 400; y += 20) {
      const other = face(x, y, 80);
      const first = face(280, 200, 80);
      // Faces that lie on each other cannot both be left free.
      if (Math.abs(x - first.x) < 90 && Math.abs(y - first.y) < 90) continue;
      const [a, b] = placeTitles([first, other], picture, 6);
      n += 1;
      assert.ok(!overlaps(a, other), `the first title at ${JSON.stringify(a)} covers the face at ${x}, ${y}`);
      assert.ok(!overlaps(b, first), `the title of the face at ${x}, ${y} covers the first face`);
      assert.ok(!overlaps(a, { x: b.left, y: b.top, w: title.width, h: title.height }), `titles of ${x}, ${y} collide`);
    }
  }
  assert.ok(n > 400, `only ${n} places`);
});

test("a face without a label shows no share that might look like enough", () => {
  assert.equal(sureness({ label: null, confidence: 0.82 }), "");
  assert.equal(sureness({ confidence: 0.82 }), "");
  assert.equal(sureness({ label: 2, confidence: 0.3999 }), "40 %");
});
