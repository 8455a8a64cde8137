{
  name: "Basic Onboarding",
  type: "onboarding",
  steps: [
    { id: "wait_initial", action: "wait", delay: 30000 },
    { id: "add_prompt", action: "add_prompt", delay: 0 },
    { id: "wait_before_bio", action: "wait", delay: 60000 },
    { id: "add_bio", action: "add_bio", delay: 0 },
    { id: "first_swipe", action: "swipe_with_spectre", swipeCount: 20, delay: 0 }
  ]
}
