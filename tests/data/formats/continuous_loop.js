{
  name: "Continuous Activity",
  type: "continuous_loop",
  steps: [
    { id: "start", action: "add_prompt", delay: 0 },
    { id: "swipe_session", action: "swipe_with_spectre", swipeCount: 15, delay: 0 },
    { id: "rest", action: "wait", delay: 300000 }, // 5 minutes
    { id: "loop", action: "goto", nextStep: "swipe_session", delay: 0 }
  ]
}
