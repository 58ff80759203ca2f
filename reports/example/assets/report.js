// The overview's comforts: filters the cases by what their checks are, and keeps that in the URL.
"use strict";

const CHECKS_NAMED = 200; // links to matching checks on the page, at most
const NAMED_PER_CASE = 8;

const form = document.getElementById("filter");
if (form) {
  const { facets, values, sets, combinations, cases } = JSON.parse(
    document.getElementById("index").textContent,
  );
  const NAMES = {
    bits: "= bit for bit", ulp: "≈ within ulps", scale: "~ by scale",
    meaning: "≅ in meaning", nothing: "– no values",
  };
  const selects = ["family", ...facets].filter((name) => name !== "op");
  const rows = [...document.querySelectorAll("table.cases tbody tr:not(.family)")].map(
    (row, number) => ({
      row,
      family: cases[number][0],
      combinations: cases[number][1],
      anchors: cases[number][2],
      url: row.querySelector("a").getAttribute("href"),
      text: row.cells[0].textContent.toLowerCase(),
      anchorTexts: null,
    }),
  );
  const total = rows.reduce((sum, one) => sum + one.anchors.length, 0);

  // Whether the checks of a combination have the wanted values: a bit for each facet they lack.
  const lacking = (wanted) => {
    const families = wanted.family;
    const tests = facets.map((name, position) => {
      const allowed = wanted[name];
      if (!allowed) return () => true;
      if (!sets[name]) return (combination) => allowed.has(combination[position]);
      const holds = sets[name].map((set) => set.some((value) => allowed.has(value)));
      return (combination) => holds[combination[position]];
    });
    const bits = combinations.map((combination) =>
      tests.reduce((found, test, bit) => found | (test(combination) ? 0 : 1 << bit), 0),
    );
    const familyBit = 1 << facets.length;
    return (one, combination) =>
      bits[combination] | (families && !families.has(one.family) ? familyBit : 0);
  };

  // Facet -> the positions of the values that are wanted; null where any is.
  const wantedValues = () => {
    const wanted = {};
    for (const name of selects) {
      const value = form.elements[name].value;
      wanted[name] = value === "" ? null : new Set([values[name].indexOf(value)]);
    }
    const op = form.elements.op.value.trim().toLowerCase();
    const exact = values.op.findIndex((name) => name.toLowerCase() === op);
    const like = (name) => name.toLowerCase().includes(op);
    wanted.op = !op
      ? null
      : new Set(exact >= 0 ? [exact] : values.op.flatMap((name, i) => (like(name) ? [i] : [])));
    return wanted;
  };

  // Positions of a case's checks whose text has all words: those of the case count for each.
  const withText = (one, words) => {
    const left = words.filter((word) => !one.text.includes(word));
    if (!left.length) return () => true;
    one.anchorTexts ??= one.anchors.map((anchor) => anchor.toLowerCase());
    return (position) => left.every((word) => one.anchorTexts[position].includes(word));
  };

  const optionText = (name, value, count) =>
    `${name === "rule" ? NAMES[value] : value} (${count.toLocaleString("en")})`;

  const tellCounts = (counts) => {
    for (const name of selects) {
      const select = form.elements[name];
      for (const option of select.options) {
        if (option.value === "") continue;
        const count = counts[name][values[name].indexOf(option.value)];
        option.textContent = optionText(name, option.value, count);
        option.disabled = count === 0 && !option.selected;
      }
      select.toggleAttribute("data-any", select.value === "");
    }
  };

  const nameMatches = (one, matching, budget) => {
    one.row.querySelector(".matches")?.remove();
    if (matching === null || !matching.length) return 0;
    const named = matching.slice(0, Math.min(NAMED_PER_CASE, budget));
    const list = document.createElement("ul");
    list.className = "matches";
    for (const position of named) {
      const link = document.createElement("a");
      link.href = `${one.url}#${encodeURIComponent(one.anchors[position])}`;
      link.textContent = one.anchors[position];
      list.append(document.createElement("li"));
      list.lastChild.append(link);
    }
    if (matching.length > named.length || matching.length < one.anchors.length) {
      const note = document.createElement("li");
      note.className = "quiet";
      note.textContent = `${matching.length} of ${one.anchors.length} checks match`;
      list.append(note);
    }
    one.row.cells[0].append(list);
    return named.length;
  };

  const filters = () =>
    new URLSearchParams(
      [...new FormData(form)].filter(([, value]) => value.trim() !== ""),
    ).toString();

  const apply = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = wantedValues();
    const lacks = lacking(wanted);
    const names = ["family", ...facets];
    const counts = Object.fromEntries(names.map((name) => [name, values[name].map(() => 0)]));
    const narrow = filters() !== "";
    let shownCases = 0;
    let shownChecks = 0;
    let budget = CHECKS_NAMED;
    for (const one of rows) {
      const hasText = withText(one, words);
      const matching = [];
      one.combinations.forEach((number, position) => {
        if (!hasText(position)) return;
        const missing = lacks(one, number);
        if (missing === 0) matching.push(position);
        if (missing & (missing - 1)) return; // two facets are against it: it counts for none
        const combination = combinations[number];
        facets.forEach((name, at) => {
          if (name === "op" || (missing && missing !== 1 << at)) return;
          const found = sets[name] ? sets[name][combination[at]] : [combination[at]];
          for (const value of found) counts[name][value] += 1;
        });
        if (!missing || missing === 1 << facets.length) counts.family[one.family] += 1;
      });
      one.row.hidden = narrow && !matching.length;
      shownCases += !one.row.hidden;
      shownChecks += matching.length;
      budget -= nameMatches(one, narrow ? matching : null, budget);
    }
    for (const group of document.querySelectorAll("table.cases tbody")) {
      group.hidden = !group.querySelector("tr:not(.family):not([hidden])");
    }
    document.getElementById("nothing").hidden = shownCases > 0;
    tellCounts(counts);
    const number = (count) => count.toLocaleString("en");
    form.elements.shown.value = narrow
      ? `${number(shownChecks)} of ${number(total)} checks, in ${number(shownCases)} of ${number(rows.length)} cases`
      : `${number(total)} checks in ${number(rows.length)} cases`;
  };

  const remember = () => {
    const hash = filters();
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  };

  // Fills the form from the URL; says whether the URL had filters at all.
  const recall = () => {
    const wanted = new URLSearchParams(location.hash.slice(1));
    const known = [...wanted.keys()].filter((name) => name in form.elements);
    if (!known.length) return false;
    blank();
    for (const name of known) form.elements[name].value = wanted.get(name);
    return true;
  };

  const blank = () => {
    for (const element of form.querySelectorAll("input, select")) element.value = "";
  };

  const clear = () => {
    blank();
    remember();
    apply();
  };

  for (const name of selects) {
    const select = form.elements[name];
    select.append(new Option("any", ""));
    for (const value of values[name]) if (value) select.append(new Option(value, value));
    select.parentElement.hidden = select.options.length < 2;
  }
  document.getElementById("ops").append(...values.op.map((name) => new Option(name, name)));

  form.addEventListener("input", () => {
    remember();
    apply();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    clear();
    form.elements.text.focus();
  });
  addEventListener("hashchange", () => {
    if (!recall()) return;
    apply();
    document.getElementById("cases").scrollIntoView();
  });
  addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      form.elements.text.focus();
    } else if (event.key === "Escape" && filters()) {
      event.preventDefault();
      clear();
    }
  });
  for (const link of document.querySelectorAll("a[data-filter]")) {
    link.setAttribute("href", `#${link.dataset.filter}`);
  }
  form.hidden = false;
  const found = recall();
  apply();
  if (found) document.getElementById("cases").scrollIntoView();
}
