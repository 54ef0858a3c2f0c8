using System.Text;
using Omium.Api.Failures;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Api.Tests.Failures;

/// <summary>What an agent is told so that it does not fail so again: what was wrong is in it, and it is never an expression.</summary>
public sealed class ConductWordsTests
{
    [Theory]
    [InlineData(0, "this does not come from what was given: output (1300; Bob)", "State no number and no name that stands neither in your input nor in a result of your tools; it was wrong about: 1300; Bob.")]
    [InlineData(1, "what was given is not used: input.n (5)", "Leave out nothing that was found: your answer must say it as it was given; it was wrong about: 5.")]
    [InlineData(2, "not yet (look)", "Before you answer, call look.")]
    [InlineData(3, "x", "When something that you need is missing, ask for it; do not go on without it.")]
    [InlineData(4, "x", null)]
    [InlineData(5, "x", "Do exactly what your plan says, with the arguments that it names, and all of it; when you change your mind, declare a new plan first.")]
    public void OfGuard_InEachForm_IsAnInstruction(int guard, string message, string? told) =>
        Assert.Equal(told, ConductWords.OfGuard(Step, Step.Post[guard].Spec.Check, message));

    [Theory]
    [InlineData("same_effect_again", "Never ask for the same call twice")]
    [InlineData("turns_exhausted", "answer as soon as you have it")]
    [InlineData("tool_of_another_role", "Use no tools but these: look.")]
    public void Rule_OfABound_IsAnInstruction(string code, string told) =>
        Assert.Contains(told, ConductWords.Rule(Failure(code, null), Step, Step.Agent!), StringComparison.Ordinal);

    [Fact]
    public void Rule_OfAGuardOnCalls_SaysItsMessage() =>
        Assert.Equal("Before you ask for a call: This is about another order.", ConductWords.Rule(Failure("task_derailment", Step.Calls[0].Spec.Check) with { Message = "This is about another order." }, Step, Step.Agent!));

    private static StepFailed Failure(string code, string? expected) => new("a", 1, 1, "class", code, "message", "w/a/class/code", null, expected, null, true, null);

    private static StepPlan Step
    {
        get
        {
            Assert.True(CanonicalJson.TryParse(
                Encoding.UTF8.GetBytes("""
                    {"omium": "v0", "name": "w", "agents": {"one": {"prompt": "p", "tools": ["look"]}}, "tools": {"look": {"type": "function"}},
                     "steps": [{"id": "a", "type": "agent_task", "agent": "one", "plan": "turn", "guards": {
                       "calls": [{"check": "call.turn < 3", "code": "task_derailment"}],
                       "post": [{"grounded": ["output"]}, {"uses": ["input.n"]}, {"called": ["look"]}, {"asks": "output.q", "when_missing": ["input.n"]}, {"check": "output.n > 1"}]}}]}
                    """),
                out var source, out _));
            return WorkflowPlan.TryCompile(SpecReader.Read(source).Spec!, out _)!.Step("a")!;
        }
    }
}
