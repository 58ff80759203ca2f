// The coverage map's comforts: tells of the tile under the pointer, shows one dtype alone.
"use strict";

const told = document.getElementById("told");
const tiles = [...document.querySelectorAll(".tiles .tile")];
const tell = (event) => {
  if (event.target.matches(".tiles .tile")) told.textContent = event.target.title;
};
document.addEventListener("focusin", tell);
document.addEventListener("mouseover", tell);

const form = document.getElementById("dtypes");
const DARKEST = 4;
for (const tile of tiles) tile.dataset.shown = tile.textContent;
form.addEventListener("input", () => {
  const dtype = form.elements.dtype.value;
  for (const tile of tiles) {
    // "1 float32, 2 float32": the orders and dtypes at which a check agreed.
    const calls = (tile.dataset.orders ?? "").split(", ").map((call) => call.split(" "));
    const orders = calls.filter((call) => call[1] === dtype).map((call) => Number(call[0]));
    const isCovered = "orders" in tile.dataset;
    tile.classList.toggle("faded", dtype !== "" && !orders.length);
    if (!isCovered) continue;
    const order = dtype === "" ? Number(tile.dataset.shown) : Math.max(0, ...orders);
    tile.textContent = order || "·";
    for (let step = 0; step <= DARKEST; step++) {
      tile.classList.toggle(`h${step}`, step === (order ? Math.min(order + 1, DARKEST) : 0));
    }
  }
});
form.hidden = false;
