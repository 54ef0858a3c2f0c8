using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Resources;

namespace Omium.Kernel.Tests.Executions;

/// <summary>What executions share, as simple as it can be: every lock is free, a write stands at once, nobody else writes.</summary>
internal sealed partial class KernelHarness
{
    private long _token;

    /// <summary>Shared values by key.</summary>
    public Dictionary<string, (long Version, JsonElement? Value, string Writer)> Shared { get; } = new(StringComparer.Ordinal);

    /// <summary>True when the effect is one of what is shared; it is carried out then.</summary>
    private bool TryShare(PendingEffect effect)
    {
        if (effect.Kind is not (PendingKind.Gather or PendingKind.Prepare or PendingKind.SettleSharing or PendingKind.Restore))
        {
            return false;
        }

        _ = EffectId.TryParse(effect.Id, out var id);
        var use = State.Visits[id.Key].Shared!;
        Send(effect.Kind switch
        {
            PendingKind.Gather => new SettleGather(NowMs, effect.Id, OrNull(use.Scopes.Select(Granted)), OrNull(use.Wanted.Select(Read)), null),
            PendingKind.Prepare => new SettleWrites(NowMs, effect.Id, [.. use.Writing!.Writes.Select(write => Write(id, write))], null, null, null),
            PendingKind.SettleSharing => new SettleSharing(NowMs, effect.Id),
            _ => new SettleRestore(NowMs, effect.Id, use.Written, null),
        });
        return true;
    }

    private LockGrant Granted(string scope) => new(scope, scope, ScopeName.RootOf(scope), ++_token);

    private ReadValue Read(ReadRequest wanted) => Shared.TryGetValue(wanted.Key, out var known)
        ? new ReadValue(wanted.Name, wanted.Key, known.Version, known.Value, known.Writer)
        : new ReadValue(wanted.Name, wanted.Key, 0, null, null);

    private string Write(EffectId id, WriteRequest write)
    {
        Shared[write.Key] = (Shared.GetValueOrDefault(write.Key).Version + 1, write.Value, $"{State.ExecutionId}/{id.Key}~{id.Attempt}");
        return write.Key;
    }

    private static T[]? OrNull<T>(IEnumerable<T> given) => given.ToArray() is { Length: > 0 } some ? some : null;
}
