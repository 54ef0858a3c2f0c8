using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Omium.Azure.Pump;
using Omium.Functions.Pump;
using Omium.Runtime.Ports;

namespace Omium.Functions.Tests.Pump;

/// <summary>
/// The extension refuses an event for an instance that has ended or is not there, which the test host's hub takes in silence: played by a client that
/// answers as the extension does.
/// </summary>
public sealed class RefusedNudgeTests
{
    private static readonly StreamId Stream = new("t", "x");

    [Theory]
    [InlineData(null)]
    [InlineData(OrchestrationRuntimeStatus.Completed)]
    [InlineData(OrchestrationRuntimeStatus.Failed)]
    public async Task Nudge_OfAPumpThatIsNotThere_IsNoError(OrchestrationRuntimeStatus? status)
    {
        var (pumps, client) = Begin(status);
        await pumps.NudgeAsync(Stream, TestContext.Current.CancellationToken);
        Assert.Equal([ExecutionPump.Nudge], client.Refused);
    }

    [Fact]
    public async Task Nudge_RefusedByAHubThatIsAway_IsHeardOf()
    {
        var (pumps, _) = Begin(OrchestrationRuntimeStatus.Running);
        await Assert.ThrowsAsync<InvalidOperationException>(() => pumps.NudgeAsync(Stream, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Look_AtAnEffectThatHasJustEnded_IsNoError()
    {
        var (pumps, client) = Begin(OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Completed);
        await pumps.StartEffectAsync(new EffectInput("t", "x", "lock-1", MayWait: true), TestContext.Current.CancellationToken);
        Assert.Equal([ExecutionPump.Look], client.Refused);
    }

    private static (DurablePumps Pumps, RefusingClient Client) Begin(params OrchestrationRuntimeStatus?[] answers)
    {
        var client = new RefusingClient(answers);
        var pumps = new DurablePumps();
        pumps.Use(client);
        return (pumps, client);
    }

    /// <summary>Refuses every event, and answers one status after the other, the last one for good; null = no such instance.</summary>
    private sealed class RefusingClient(params OrchestrationRuntimeStatus?[] answers) : DurableTaskClient("refusing")
    {
        private int _asked;

        public List<string> Refused { get; } = [];

        public override Task RaiseEventAsync(string instanceId, string eventName, object? eventPayload = null, CancellationToken cancellation = default)
        {
            Refused.Add(eventName);
            return Task.FromException(new InvalidOperationException("Cannot raise event for instance in Completed state."));
        }

        public override Task<OrchestrationMetadata?> GetInstanceAsync(string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
            Task.FromResult(answers[Math.Min(_asked++, answers.Length - 1)] is { } status ? new OrchestrationMetadata("any", instanceId) { RuntimeStatus = status } : null);

        public override Task<OrchestrationMetadata?> GetInstancesAsync(string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
            GetInstanceAsync(instanceId, getInputsAndOutputs, cancellation);

        public override Task<string> ScheduleNewOrchestrationInstanceAsync(
            TaskName orchestratorName, object? input = null, StartOrchestrationOptions? options = null, CancellationToken cancellation = default) => throw new NotSupportedException();

        public override Task<OrchestrationMetadata> WaitForInstanceStartAsync(string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
            throw new NotSupportedException();

        public override Task<OrchestrationMetadata> WaitForInstanceCompletionAsync(string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default) =>
            throw new NotSupportedException();

        public override Task SuspendInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default) => throw new NotSupportedException();

        public override Task ResumeInstanceAsync(string instanceId, string? reason = null, CancellationToken cancellation = default) => throw new NotSupportedException();

        public override AsyncPageable<OrchestrationMetadata> GetAllInstancesAsync(OrchestrationQuery? filter = null) => throw new NotSupportedException();

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
