/**
 * Loaded before anything else (`node --import`), it lets a test set a process's wall clock: each SIGUSR2 moves it, an hour
 * on, then two back, then on again. The monotonic clock goes on as ever, as it does when a machine's clock is set.
 */
const hourMs = 3_600_000;
let offsetMs = 0;
let jumps = 0;

const RealDate = Date;
const jumpedNow = (): number => RealDate.now() + offsetMs;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [jumpedNow()] : args, newTarget) as Date,
  get: (target, name, receiver) => (name === 'now' ? jumpedNow : Reflect.get(target, name, receiver)),
});

process.on('SIGUSR2', () => {
  jumps += 1;
  offsetMs = jumps % 2 === 1 ? hourMs : -hourMs;
  process.stdout.write(`clock jumped by ${offsetMs} ms\n`);
});
