"use strict";
(() => {
  const table = document.getElementById("sample-table"), body = table.tBodies[0];
  const rows = Array.from(body.rows), form = document.getElementById("filters");
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
    shown.textContent = shown.dataset.text.replace("{shown}", n).replace("{n}", rows.length);
  }

  function sort(button) {
    const head = button.closest("th"), at = head.cellIndex, isNumber = head.classList.contains("number");
    const down = head.getAttribute("aria-sort") === (isNumber ? "descending" : "ascending") ? -1 : 1;
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
  filter();

  const map = document.getElementById("heatmap");
  if (!map) return;
  const order = map.dataset.order.split(" ").map(Number), cursor = map.querySelector(".cursor");
  const named = document.getElementById("column");
  let column = 0;
  function point(to) {
    column = Math.min(Math.max(to, 0), order.length - 1);
    const row = rows[order[column]], link = row.cells[0].querySelector("a").cloneNode(true);
    cursor.style.left = `${(column + 0.5) / order.length * 100}%`;
    cursor.hidden = false;
    const said = [...Array.from(row.cells).slice(1, 5), ...row.querySelectorAll(".sheet")].map((cell) => cell.textContent.trim());
    named.replaceChildren(link, ` ${said.filter(Boolean).join(" · ")}`);
  }
  const place = (event) => {
    const box = map.getBoundingClientRect();
    return Math.floor((event.clientX - box.left) / box.width * order.length);
  };
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };
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
})();
