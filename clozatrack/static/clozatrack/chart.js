// The chart's counts by arrow keys: one stop for Tab, then left and right. Without this file each count is a stop of its own.
document.addEventListener('DOMContentLoaded', () => {
  const points = [...document.querySelectorAll('.plot a.point:not(.old)')];
  if (points.length < 2) return;
  let here = points.length - 1;
  const go = place => {
    points[here].setAttribute('tabindex', '-1');
    here = Math.min(Math.max(place, 0), points.length - 1);
    points[here].setAttribute('tabindex', '0');
    points[here].focus();
  };
  points.forEach((point, place) => {
    point.setAttribute('tabindex', place === here ? '0' : '-1');
    point.addEventListener('keydown', event => {
      const to = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: points.length - 1 }[event.key];
      if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      go(to);
    });
  });
});
