"use strict";
(() => {
  const table = document.getElementById("sample-table"), body = table.tBodies[0];
  const rows = Array.from(body.rows), form = document.getElementById("filters");
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const shown = document.getElementById("shown"), collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const texts = rows.map((row) => row.textContent.toLowerCase());

  function filter() {
    const wanted = form.elements.text.value.trim().toLowerCase();
    const keys = Array.from(form.querySelectorAll("select"), (select) => select.value).filter(Boolean);
    let n = 0;
    rows.forEach((row, at) => {
      const has = row.dataset.k.split(" ");
      row.hidden = !(texts[at].includes(wanted) && keys.every((key) => has.includes(key)));
      n += row.hidden ? 0 : 1;
    });
    remember();
    shown.textContent = n || !rows.length ? shown.dataset.text.replace("{shown}", number.format(n)).replace("{n}", number.format(rows.length)) : shown.dataset.none;
  }

  // The choice is the part of the address after #, such as #s=s-provisional&sort=2-descending.
  const heads = Array.from(table.tHead.rows[0].cells), fields = Array.from(form.elements).filter((one) => one.name);
  function remember() {
    const chosen = new URLSearchParams(fields.filter((one) => one.value.trim()).map((one) => [one.name, one.value.trim()]));
    const sorted = heads.find((head) => head.hasAttribute("aria-sort"));
    if (sorted) chosen.set("sort", `${sorted.cellIndex}-${sorted.getAttribute("aria-sort")}`);
    const hash = chosen.toString();
    if (hash ? `#${hash}` !== location.hash : location.hash.includes("=")) history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  }

  function restore() {
    if (!location.hash.includes("=")) return;
    const chosen = new URLSearchParams(location.hash.slice(1));
    for (const one of fields) {
      const value = chosen.get(one.name) ?? "";
      one.value = value;
      if (one.value !== value) one.value = "";
    }
    const [at, order] = (chosen.get("sort") ?? "").split("-");
    for (const head of heads) head.removeAttribute("aria-sort");
    const button = heads[Number(at)]?.querySelector("button");
    if (order && button) sort(button, order);
    filter();
  }

  function cell(text) {
    const plain = text.trim().replace(/\s+/g, " ");
    return /^[=+@-]/.test(plain) && Number.isNaN(Number(plain)) ? `'${plain}` : plain;
  }

  // Classes, labels and mechanisms of a row are its keys; the filters have their names.
  const labels = Array.from(form.querySelectorAll("select")).filter((select) => /^l\d/.test(select.name));
  function words(select) {
    const names = new Map(Array.from(select.options, (option) => [option.value, option.text]));
    return (row) => row.dataset.k.split(" ").filter((key) => names.has(key)).map((key) => names.get(key)).join("; ");
  }

  function columnsOf(head) {
    const at = head.cellIndex, title = head.textContent, own = (head.dataset.t ?? "").split("\t");
    const parts = own.filter(Boolean).map((name, part) => [name, (row) => (row.cells[at].dataset.t ?? "").split("\t")[part] ?? ""]);
    switch (head.dataset.c) {
      case "status": return [[title, words(form.elements.s)]];
      case "index": return [[title, (row) => row.cells[at].dataset.v], ...parts];
      case "sheet": return parts;
      case "mechanisms": return [[own[0], words(form.elements.d)]];
      default: return [[title, (row) => row.cells[at].textContent]];
    }
  }

  function tableShown() {
    const columns = [...heads.flatMap(columnsOf), ...labels.map((select) => [select.labels[0].firstChild.textContent, words(select)])];
    const lines = Array.from(body.rows).filter((row) => !row.hidden).map((row) => columns.map(([, of]) => of(row)));
    return [columns.map(([title]) => title), ...lines].map((line) => line.map(cell).join("\t")).join("\n") + "\n";
  }

  function sort(button, order) {
    const head = button.closest("th"), at = head.cellIndex, isNumber = head.classList.contains("number");
    const first = isNumber ? "descending" : "ascending";
    const down = (order ? order !== first : head.getAttribute("aria-sort") === first) ? -1 : 1;
    const sign = down * (isNumber ? -1 : 1);
    const keyed = rows.map((row) => [row.cells[at].dataset.v ?? row.cells[at].textContent.trim(), row]);
    keyed.sort(([one], [other]) => {
      if (!isNumber) return sign * collator.compare(one, other);
      if (one === "" || other === "") return (one === "") - (other === "");
      return sign * (one - other);
    });
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    body.append(...keyed.map(([, row]) => row));
    remember();
  }

  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(button));
    head.append(button);
  }
  document.getElementById("rows").addEventListener("click", (event) => {
    event.currentTarget.href = URL.createObjectURL(new Blob([tableShown()], { type: "text/tab-separated-values" }));
  });
  addEventListener("hashchange", restore);
  restore();
  filter();

  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
  for (const map of document.querySelectorAll(".map")) {
    const order = map.dataset.order.split(" ").map(Number), cursor = map.querySelector(".cursor");
    const named = map.nextElementSibling;
    let column = 0;
    const point = (to) => {
      column = Math.min(Math.max(to, 0), order.length - 1);
      const row = rows[order[column]], link = row.cells[0].querySelector("a").cloneNode(true);
      cursor.style.left = `${(column + 0.5) / order.length * 100}%`;
      cursor.hidden = false;
      const said = [...Array.from(row.cells).slice(1, 5), ...row.querySelectorAll(".sheet")].map((cell) => cell.textContent.trim());
      named.replaceChildren(link, ` ${said.filter(Boolean).join(" · ")}`);
    };
    const place = (event) => {
      const box = map.getBoundingClientRect();
      return Math.floor((event.clientX - box.left) / box.width * order.length);
    };
    map.tabIndex = 0;
    map.addEventListener("pointermove", (event) => point(place(event)));
    map.addEventListener("click", (event) => { point(place(event)); named.querySelector("a").click(); });
    map.addEventListener("focus", () => point(column));
    map.addEventListener("keydown", (event) => {
      if (event.key === "Enter") named.querySelector("a").click();
      if (!(event.key in steps)) return;
      event.preventDefault();
      point(column + steps[event.key]);
    });
  }
})();
