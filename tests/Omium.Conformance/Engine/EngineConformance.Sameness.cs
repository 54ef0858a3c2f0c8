using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Omium.Conformance.Storage;
using Omium.Kernel.Executions;
using Omium.Kernel.Tests.Executions;
using Omium.Runtime.Security;

namespace Omium.Conformance.Engine;

/// <summary>
/// The same runs on this engine and on the embedded one over a store in memory: the same events of each step in the same order, the same state at the end,
/// the same calls counted outside. Times and the names of runners are taken out of both; ids are the same already, because the kernel makes them.
/// </summary>
public abstract partial class EngineConformance
{
    /// <summary>What a workflow does, and which call of which tool fails (from 1 by tool; 0 = none).</summary>
    public static TheoryData<string, string, int, string> Runs => new()
    {
        { "a chain", "", 0, """
            steps:
              - {id: a, type: tool_call, tool: work, input: {n: 1}}
              - {id: b, type: tool_call, tool: pay, needs: [a], input: {n: 2}}
              - {id: c, type: decision, needs: [b], input: {n: 3}, checkpoint: far}
              - {id: d, type: tool_call, tool: work, needs: [c], input: {n: 4}}
            """ },
        { "a retry", "work", 1, """
            steps:
              - {id: a, type: tool_call, tool: work, input: {n: 1}, retry: {max_attempts: 3, backoff: constant, initial: 1ms, max: 1ms}}
              - {id: b, type: tool_call, tool: pay, needs: [a], input: {n: 2}}
            """ },
        { "a way back", "work", 1, """
            recovery: {rules: [{on: [tool_error], do: [{rollback_to: start}], limit: 1}, {on: [tool_error], do: [fail]}]}
            steps:
              - {id: start, type: decision, checkpoint: start, input: {n: 0}}
              - {id: one, type: tool_call, tool: pay, needs: [start], input: {n: 1}}
              - {id: two, type: tool_call, tool: work, needs: [one], input: {n: 2}}
            """ },
        { "a failure", "work", 1, """
            steps:
              - {id: a, type: tool_call, tool: pay, input: {n: 1}}
              - {id: b, type: tool_call, tool: work, needs: [a], input: {n: 2}}
            """ },
        { "a shared value", "", 0, """
            steps:
              - {id: a, type: tool_call, tool: work, input: {n: 1}, locks: ["customer/42"]}
              - {id: b, type: tool_call, tool: pay, needs: [a], input: {n: 2}, locks: ["customer/42"]}
            """ },
    };

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task Run_TheSameAsOnTheEmbeddedEngine_HasTheSameEventsFoldAndCalls(string name, string fails, int failing, string steps)
    {
        Assert.SkipWhen(IsFaulty, "A store that refuses writes makes runners give up and begin calls anew.");
        var there = await PlayAsync(EngineLife.EmbeddedAsync, MemoryBackend.Open(), Seal.NewKey(), isAlone: true, Tools + steps, fails, failing);
        var here = await PlayAsync(make ?? EngineLife.EmbeddedAsync, storage, masterKey, isAlone: make is null, Tools + steps, fails, failing);

        Assert.True(there.Events.Count > 3, name);
        Assert.Equal(there.Events, here.Events);
        Assert.Equal(there.Calls, here.Calls);
        Assert.Equal(there.Fold, here.Fold);
    }

    /// <summary>True for a store that refuses writes now and then.</summary>
    protected virtual bool IsFaulty => false;

    private static async Task<(IReadOnlyList<string> Events, IReadOnlyList<string> Calls, string Fold)> PlayAsync(
        EngineLife.MakeEngine begin, StorageBackend store, byte[] key, bool isAlone, string spec, string fails, int failing)
    {
        var played = new OutsideWorld();
        var calls = 0;
        played.Answer = (request, _) => Task.FromResult(request.Tool.Name == fails && Interlocked.Increment(ref calls) == failing
            ? new EffectOutcome { Failure = new("tool_error", "broken", "It broke.") }
            : new EffectOutcome { Result = request.Arguments });
        await using var life = await EngineLife.BeginAsync(store, key, played, begin, isAlone);
        var stream = await life.StartAsync(spec, "exe_same");
        var state = await life.SettleAsync(stream);
        var records = await life.Advancer.ReadAsync(stream, 0, int.MaxValue);
        var events = records.SelectMany(record => record.Body.Events).Select(happened => JsonSerializer.SerializeToNode(happened, KernelJson.Default.ExecutionEvent)!)
            .GroupBy(StepOf).OrderBy(step => step.Key, StringComparer.Ordinal).SelectMany(step => step.Select(happened => $"{step.Key}: {Normalised(happened.ToJsonString())}")).ToList();
        return (events, [.. played.Calls.Select(call => $"{call.Tool} {call.Key} {call.Arguments.GetRawText()}")], Normalised(StateDump.Of(state)));
    }

    private static string StepOf(JsonNode happened) => (string?)happened["step"] ?? ((string?)happened["effect"])?.Split('~')[0] ?? "";

    /// <summary>Moments in time and names of runners are each run's own.</summary>
    private static string Normalised(string text) => Moment().Replace(Runner().Replace(text, "RUNNER"), "MOMENT");

    [GeneratedRegex(@"\b1[0-9]{12}\b")]
    private static partial Regex Moment();

    [GeneratedRegex("life-[0-9a-f]{32}")]
    private static partial Regex Runner();
}
