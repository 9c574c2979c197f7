export default {
  mount(el, table) {
    const show = () => (el.textContent = `${table.view()?.left ?? "?"} left`);
    show();
    return table.onView(show);
  },
};
