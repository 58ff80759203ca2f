// The overview's comforts: filter the table of cases.
"use strict";

const form = document.getElementById("filter");
if (form) {
  const rows = [...document.querySelectorAll("table.cases tbody tr")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const apply = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/);
    const verdict = form.elements.verdict.value;
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden =
        !words.every((word) => texts[i].includes(word)) ||
        (verdict !== "" && !row.dataset.verdicts.split(" ").includes(verdict));
      shown += !row.hidden;
    });
    form.elements.shown.value = `${shown} of ${rows.length} cases`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
}
