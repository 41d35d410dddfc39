"use strict";
(function () {
  const form = document.querySelector("form.filter");
  const words = document.getElementById("words");
  const verdict = document.getElementById("verdict");
  const unfold = document.getElementById("unfold");
  const shown = document.getElementById("shown");
  const groups = Array.from(document.querySelectorAll("details.partition"), (details) => ({
    details,
    name: details.querySelector("h3").textContent.toLowerCase(),
    wasOpen: details.open,
    rows: Array.from(details.querySelectorAll("tbody"), (body) => ({ body, verdict: body.dataset.verdict, text: null })),
  }));
  const all = groups.reduce((sum, group) => sum + group.rows.length, 0);
  let filtering = false;

  function apply() {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = verdict.value ? verdict.value.split(" ") : null;
    const filters = wanted.length > 0 || verdicts !== null;
    let count = 0;
    for (const group of groups) {
      let here = 0;
      for (const row of group.rows) {
        if (row.text === null && wanted.length > 0) {
          row.text = row.body.textContent.toLowerCase() + " " + group.name;
        }
        const fits = (verdicts === null || verdicts.includes(row.verdict)) && wanted.every((word) => row.text.includes(word));
        row.body.hidden = !fits;
        here += fits ? 1 : 0;
      }
      if (filters && !filtering) {
        group.wasOpen = group.details.open;
      }
      group.details.hidden = here === 0;
      group.details.open = filters ? here > 0 : filtering ? group.wasOpen : group.details.open;
      count += here;
    }
    filtering = filters;
    shown.textContent = filters ? count + " of " + all + " nodes" : all + (all === 1 ? " node" : " nodes");
  }

  unfold.addEventListener("click", function () {
    const open = groups.some((group) => !group.details.hidden && !group.details.open);
    for (const group of groups) {
      group.details.open = open;
    }
    unfold.textContent = open ? "Fold all" : "Unfold all";
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  words.addEventListener("input", apply);
  verdict.addEventListener("change", apply);

  // Some browsers do not print folded parts: unfold everything for the print.
  let before = null;
  window.addEventListener("beforeprint", function () {
    before = groups.map((group) => group.details.open);
    groups.forEach((group) => { group.details.open = true; });
  });
  window.addEventListener("afterprint", function () {
    if (before !== null) {
      groups.forEach((group, index) => { group.details.open = before[index]; });
      before = null;
    }
  });
  unfold.textContent = groups.every((group) => group.details.open) ? "Fold all" : "Unfold all";
  form.hidden = false;
  apply();
})();
