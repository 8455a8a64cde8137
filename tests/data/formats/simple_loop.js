steps: [
  { id: "start", action: "wait", delay: 1000 },
  { id: "swipe", action: "swipe_with_spectre", swipeCount: 10, delay: 0 },
  { id: "wait", action: "wait", delay: 60000 },
  { id: "loop", action: "goto", nextStep: "swipe", delay: 0 }
]
