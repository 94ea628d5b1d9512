/** Loaded and called once in a fork server, so that its children find the way to a module well trodden. */
export default (item) => item;
