/** @type {import("roomring").GameUI<{ heap: number, next: number }, { n: number }>} */
export default {
  title: "Nim",

  mount(el, table) {
    const heap = document.createElement("p");
    heap.className = "nim-heap";
    const buttons = [1, 2, 3].map((n) => {
      const button = document.createElement("button");
      button.className = "button";
      button.textContent = `Take ${n}`;
      button.onclick = () => table.act?.({ n }).catch(() => {}); // the page has said why it was refused
      return button;
    });
    el.append(heap, ...(table.act ? buttons : []));

    const show = () => {
      const view = table.view();
      if (!view) return; // the first one is still on its way
      heap.textContent = "●".repeat(view.heap) || "Nothing is left.";
      buttons.forEach((button, i) => (button.disabled = view.next !== table.me.seat || i >= view.heap));
    };
    const stop = table.onView(show);
    show();
    return () => {
      stop();
      el.replaceChildren();
    };
  },

  options(el) {
    const heap = document.createElement("input");
    heap.type = "number";
    heap.value = "21";
    const label = document.createElement("label");
    label.append("Heap ", heap);
    el.append(label);
    return () => (heap.value === "21" ? {} : { heap: Number(heap.value) });
  },
};
