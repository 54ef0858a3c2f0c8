using Omium.Api.Executions;
using Omium.Contracts.Executions;
using Omium.Contracts.Sharing;
using Omium.Kernel.Resources;
using Omium.Runtime.Executions;
using Omium.Runtime.Resources;

namespace Omium.Api.Sharing;

/// <summary>What is shared, as answered.</summary>
internal static class SharingViews
{
    public static RootView Root(ResourceState state, long nowMs) => new()
    {
        Root = state.Root,
        Holders = [.. state.Holders.Select(holder => Lock(holder.Owner, holder.Scopes, holder.GrantedMs, nowMs) with
        {
            Token = holder.Token, LeaseUntil = ExecutionViews.Time(holder.GrantedMs + holder.LeaseMs),
        })],
        Queue = [.. state.Queue.Select(waiter => Lock(waiter.Owner, waiter.Scopes, waiter.SinceMs, nowMs))],
    };

    public static SharedValueView Value(string key, ResourceState state)
    {
        var value = state.Values.GetValueOrDefault(key);
        return new SharedValueView
        {
            Key = key,
            Version = value?.Current.Version ?? 0,
            Value = value?.Current.Value,
            Writer = value is null ? null : Writer(value.Current.Transaction),
            WrittenAt = value is null ? null : ExecutionViews.Time(value.Current.AtMs),
            History = [.. (value?.Changes ?? []).Reverse().Select(Change)],
        };
    }

    public static VerifyView Report(VerifyReport report)
    {
        var verdict = report.Verdict switch
        {
            VerifyVerdict.Identical => "identical",
            VerifyVerdict.Consistent => "consistent",
            VerifyVerdict.Erased => "erased",
            _ => "corrupt",
        };
        return new VerifyView(verdict, report.Records, report.Detail);
    }

    private static ValueChangeView Change(ValueVersion change) => new(
        change.Version, change.Value, Writer(change.Transaction), ExecutionViews.Time(change.AtMs), change.RestoredFrom == 0 ? null : Math.Max(change.RestoredFrom, 0));

    private static WriterView? Writer(string transaction) => SharedNames.TryRead(transaction, "", out var execution, out var visit, out var attempt)
        ? new WriterView(execution.Id, visit.Step, visit.Visit, attempt)
        : null;

    private static LockView Lock(string owner, IReadOnlyList<string> scopes, long sinceMs, long nowMs)
    {
        _ = SharedNames.TryRead(owner, "", out var execution, out var visit, out _);
        return new LockView
        {
            Execution = execution.Id ?? "",
            Step = visit.Step ?? "",
            Visit = visit.Visit,
            Scopes = scopes,
            Since = ExecutionViews.Time(sinceMs),
            AgeMs = Math.Max(nowMs - sinceMs, 0),
        };
    }
}
