"use strict";
(function () {
  const byId = (id) => document.getElementById(id);
  // The controls of the filter; their ids are the names in the address: #verdict=failed&partition=titan.
  const controls = ["words", "verdict", "partition", "trouble", "sort"].map(byId).filter(Boolean);
  const form = document.querySelector("form.filter");
  const unfold = byId("unfold");
  const collator = new Intl.Collator("en", { numeric: true });

  const groups = Array.from(document.querySelectorAll("details.partition"), (details) => ({
    details,
    table: details.querySelector("table"),
    name: details.querySelector("h3").textContent.toLowerCase(),
    places: details.dataset.places.split(" "),
    tally: Array.from(details.querySelectorAll(".tally .count"), (element) => ({
      element, verdict: element.dataset.verdict, number: element.querySelector(".number"),
    })),
    wasOpen: details.open,
    rows: Array.from(details.querySelectorAll("tbody"), (body, place) => ({
      body, place, verdict: body.dataset.verdict, trouble: body.rows[0].dataset.trouble,
      isNew: "new" in body.rows[0].dataset, text: null,
    })),
  }));
  const all = groups.reduce((sum, group) => sum + group.rows.length, 0);
  let filtering = false;
  // What the address asks for and this report does not have, such as a trouble that was fixed.
  let gone = null;
  let sorted = "";

  // --- filter ---------------------------------------------------------------------------------------------------

  function apply() {
    const value = Object.fromEntries(controls.map((control) => [control.id, control.value]));
    const words = value.words.toLowerCase().split(/\s+/).filter(Boolean);
    const verdicts = value.verdict ? value.verdict.split(" ") : null;
    const place = value.partition ? byId("partition").selectedOptions[0].dataset.place : null;
    const filters = gone !== null || words.length > 0 || verdicts !== null || place !== null || Boolean(value.trouble);
    let count = 0;
    for (const group of groups) {
      const counts = {};
      const inPlace = place === null || group.places.includes(place);
      for (const row of group.rows) {
        if (row.text === null && words.length > 0) {
          row.text = row.body.textContent.toLowerCase() + " " + group.name;
        }
        const fits = gone === null && inPlace && (verdicts === null || verdicts.includes(row.verdict) || (row.isNew && verdicts.includes("new")))
          && (!value.trouble || row.trouble === value.trouble) && words.every((word) => row.text.includes(word));
        row.body.hidden = !fits;
        if (fits) {
          counts[row.verdict] = (counts[row.verdict] || 0) + 1;
          count += 1;
        }
      }
      const here = Object.keys(counts).length > 0;
      for (const part of group.tally) {
        part.number.textContent = counts[part.verdict] || 0;
        part.element.hidden = !counts[part.verdict];
      }
      if (filters && !filtering) {
        group.wasOpen = group.details.open;
      }
      group.details.hidden = !here;
      group.details.open = filters ? here : filtering ? group.wasOpen : group.details.open;
    }
    filtering = filters;
    byId("shown").textContent = gone !== null ? "No such " + gone + " in this report"
      : filters ? count + " of " + all + " nodes" : all + (all === 1 ? " node" : " nodes");
    if (value.sort !== sorted) {
      order(value.sort);
    }
    label();
  }

  function label() {
    const open = groups.some((group) => !group.details.hidden && !group.details.open);
    unfold.textContent = open ? "Unfold all" : "Fold all";
  }

  // --- order ----------------------------------------------------------------------------------------------------

  function order(sort) {
    const key = sort.replace(/^-/, "");
    const sign = sort.startsWith("-") ? -1 : 1;
    for (const group of groups) {
      const heads = Array.from(group.table.querySelectorAll("thead th"));
      const column = heads.findIndex((head) => head.dataset.key === key);
      for (const row of group.rows) {
        row.key = column < 0 || key === "verdict" ? "" : keyOf(row.body.rows[0].cells[column]);
      }
      const rows = group.rows.slice().sort(function (one, two) {
        // What has no value comes last in both directions.
        const missing = (one.key === "–") - (two.key === "–");
        return missing || sign * (collator.compare(one.key, two.key) || (key === "verdict" ? one.place - two.place : 0))
          || one.place - two.place;
      });
      group.table.append(...rows.map((row) => row.body));
      heads.forEach(function (head, place) {
        if (place === column) {
          head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        } else {
          head.removeAttribute("aria-sort");
        }
      });
      group.details.querySelector(".order").textContent =
        column < 0 ? ", failed ones first" : ", by " + heads[column].textContent.toLowerCase() + (sign < 0 ? ", reversed" : "");
    }
    sorted = sort;
  }

  function keyOf(cell) {
    const time = cell.querySelector("time");
    return time ? time.dateTime : cell.textContent;
  }

  for (const group of groups) {
    for (const head of group.table.querySelectorAll("thead th")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "head";
      button.textContent = head.textContent;
      button.addEventListener("click", function () {
        const control = byId("sort");
        control.value = control.value === head.dataset.key ? "-" + head.dataset.key : head.dataset.key;
        changed();
      });
      head.replaceChildren(button);
    }
  }

  // --- the address ----------------------------------------------------------------------------------------------

  function write() {
    const wanted = new URLSearchParams(controls.filter((control) => control.value).map((control) => [control.id, control.value]));
    const text = wanted.toString();
    history.replaceState(null, "", text ? "#" + text : location.pathname + location.search);
  }

  function changed() {
    gone = null;
    apply();
    write();
  }

  function clear() {
    gone = null;
    for (const control of controls) {
      control.value = "";
    }
  }

  function read() {
    const text = location.hash.slice(1);
    if (!text) {
      clear();
      apply();
      return;
    }
    const target = byId(text);
    if (target) {
      if (target.tagName === "TR") {
        if (target.parentElement.hidden) {
          clear();
          apply();
        }
        target.closest("details").open = true;
        target.scrollIntoView();
        label();
      }
      return;
    }
    const wanted = new URLSearchParams(text);
    if (!controls.some((control) => wanted.has(control.id))) {
      return;
    }
    clear();
    for (const control of controls) {
      control.value = wanted.get(control.id) || "";
      if (control.tagName === "SELECT" && control.selectedIndex < 0) {
        control.value = "";
        gone = control.id;
      }
    }
    apply();
    byId("nodes").scrollIntoView();
    byId("nodes").focus({ preventScroll: true });
  }

  // --- copying --------------------------------------------------------------------------------------------------

  function copy(button) {
    const text = button.dataset.copy;
    const done = function () {
      const name = button.textContent;
      button.textContent = "Copied";
      byId("copied").textContent = "Copied: " + text.slice(0, 200);
      setTimeout(function () { button.textContent = name; }, 1500);
    };
    // A page from a server without TLS has no clipboard.
    if (navigator.clipboard) {
      navigator.clipboard.writeText(text).then(done, () => byHand(button, text, done));
    } else {
      byHand(button, text, done);
    }
  }

  function byHand(button, text, done) {
    const area = document.createElement("textarea");
    area.value = text;
    area.readOnly = true;
    area.setAttribute("aria-label", "Text to copy");
    button.after(area);
    area.select();
    if (document.execCommand("copy")) {
      area.remove();
      button.focus();
      done();
    }
  }

  // --- how old the check is -------------------------------------------------------------------------------------

  function span(seconds) {
    const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
    const found = units.find((unit) => seconds >= 2 * unit[1]);
    return found ? Math.floor(seconds / found[1]) + " " + found[0] + "s" : seconds >= 60 ? "1 minute" : "less than a minute";
  }

  function age() {
    const checked = byId("checked").dataset;
    const last = Date.parse(byId("checked").querySelector("time").dateTime);
    const mostly = Date.parse(checked.at);
    const now = Date.now();
    const late = byId("late");
    // A clock that is behind the controller's shows no age.
    byId("ago").textContent = now < last ? "" : ", " + span((now - last) / 1000) + " ago";
    if (/^report-\d{8}T\d{6}Z\.html$/.test(location.pathname.split("/").pop())) {
      late.textContent = "This is an earlier report, kept when the state changed.";
      late.hidden = false;
      return;
    }
    const age = (now - mostly) / 1000;
    const who = mostly < last ? "Most nodes were last checked " : "The last check was ";
    if (checked.due) {
      const due = Date.parse(checked.due);
      const grace = Math.max((due - mostly) / 10, 15 * 60 * 1000);
      if (now > due + grace) {
        late.textContent = who + span(age) + " ago, and one is due every " + checked.every + ": a check is missing, its timer may"
          + " have stopped. What follows may be out of date.";
        late.hidden = false;
      }
    } else if (age > 86400) {
      late.textContent = who + "more than a day ago. What follows may be out of date.";
      late.hidden = false;
    }
  }

  // --- on loading -----------------------------------------------------------------------------------------------

  unfold.addEventListener("click", function () {
    const open = groups.some((group) => !group.details.hidden && !group.details.open);
    for (const group of groups) {
      group.details.open = open;
    }
    label();
  });
  byId("all").addEventListener("click", function () {
    clear();
    changed();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const control of controls) {
    control.addEventListener(control.tagName === "SELECT" ? "change" : "input", changed);
  }
  for (const link of document.querySelectorAll("a[data-filter]")) {
    link.href = "#" + link.dataset.filter;
  }
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", () => copy(button));
    button.hidden = button.dataset.copy === "";
  }
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
  // An earlier report is next to its own JSON.
  const own = location.pathname.split("/").pop();
  if (/^[\w-]+\.html$/.test(own)) {
    byId("json").href = byId("json").textContent = own.replace(/html$/, "json");
  }
  form.hidden = false;
  // For a browser that runs no script, also where a server's policy forbids it, which noscript does not know.
  byId("clock").hidden = true;
  apply();
  read();
  window.addEventListener("hashchange", read);
  age();
  setInterval(age, 60000);
})();
