export default {
  mount(el, table) {
    el.append("All is well.");
    table.onView(() => {
      throw new Error("woken by a view");
    });
    return () => {
      throw new Error("and not quiet either");
    };
  },
};
