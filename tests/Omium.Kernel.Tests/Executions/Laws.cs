using System.Text;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Xunit;

namespace Omium.Kernel.Tests.Executions;

/// <summary>What must hold of every recorded stream.</summary>
internal static class Laws
{
    /// <summary>Verify: every record re-decides to the same bytes from the state before it; snapshot + suffix = full fold.</summary>
    public static void Check(KernelHarness harness) => Check(harness.Log, harness.FirstPlan, harness.Payloads, harness.Base, harness.Plan);

    /// <summary>The same of a log that began with one plan and, where it was moved, ended with another (<paramref name="last"/>).</summary>
    public static void Check(IReadOnlyList<byte[]> log, WorkflowPlan plan, IReadOnlyDictionary<string, JsonElement> payloads, ExecutionState? from = null, WorkflowPlan? last = null)
    {
        var state = from ?? ExecutionState.Empty;
        var prefixes = new List<ExecutionState>();
        var answered = new HashSet<string>(StringComparer.Ordinal);
        foreach (var bytes in log)
        {
            prefixes.Add(state);
            var body = KernelJson.Deserialize(bytes);
            var outcome = ExecutionKernel.Decide(state, body.Command, KernelHarness.ValuesFor(plan, state, body.Command, payloads, body.Command is MigrateExecution ? last : null),
                digest => payloads.TryGetValue(digest, out var payload) ? payload : null);
            var again = KernelJson.Serialize(new RecordBody(body.Command, outcome.Events));
            Assert.Equal(Encoding.UTF8.GetString(bytes), Encoding.UTF8.GetString(again));
            CheckRepeats(state, body);
            plan = body.Command is MigrateExecution ? last! : plan;
            AgreementLaws.CheckStarts(state, body, plan);
            ItemLaws.Check(state, body, plan);
            state = ExecutionKernel.Fold(state, body);
            AgreementLaws.CheckQuestions(answered, body, ExecutionKernel.Pending(state, plan));
            Assert.Equal(StateDump.Of(state), StateDump.Of(outcome.State));
        }

        var undone = log.SelectMany(bytes => KernelJson.Deserialize(bytes).Events).OfType<CompensationSettled>().Where(settled => settled.Done).Select(settled => settled.Effect).ToArray();
        Assert.Equal(undone.Distinct(), undone);
        Assert.All(
            log.SelectMany(bytes => KernelJson.Deserialize(bytes).Events).OfType<RollbackCompleted>(),
            completed => Assert.True(completed.Disagreeing is null, $"after rollback {completed.Rollback}, {string.Join(", ", completed.Disagreeing ?? [])} stand on what was taken back"));
        var full = StateDump.Of(state);
        for (var at = 0; at < log.Count; at += Math.Max(1, log.Count / 4))
        {
            var resumed = log.Skip(at).Aggregate(prefixes[at], (prefix, bytes) => ExecutionKernel.Fold(prefix, KernelJson.Deserialize(bytes)));
            Assert.Equal(full, StateDump.Of(resumed));
        }
    }

    /// <summary>A call that could not be undone still stands: only a person may have the attempt made again on top of it.</summary>
    private static void CheckRepeats(ExecutionState before, RecordBody record)
    {
        foreach (var retry in record.Events.OfType<RetryScheduled>())
        {
            var stands = before.Visits.TryGetValue(new VisitKey(retry.Step, retry.Visit), out var visit) && visit.CurrentCalls.Any(call => call.Residue);
            Assert.True(!stands || record.Command is DecideReview or RetryExecution, $"{retry.Step}~{retry.Visit} is tried again by {record.Command.Name} on top of what could not be undone");
        }
    }
}
