export default {
  mount() {
    throw new TypeError("there is no <table> here");
  },
  options() {
    throw new Error("nor options");
  },
};
