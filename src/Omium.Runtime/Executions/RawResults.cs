using System.Globalization;
using System.Text.Json;
using Omium.Kernel.Executions;

namespace Omium.Runtime.Executions;

/// <summary>
/// Raw results of effects: put aside after the call and before its record, so that a failed append loses nothing; dropped with the record that
/// settles the run, which holds the result from then on.
/// </summary>
internal static class RawResults
{
    private const string Prefix = "result.";

    /// <summary>True for the key of a raw result: its execution's own, while values are shared by all forks of one root.</summary>
    public static bool IsKey(string key) => key.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>The key of one run of a call.</summary>
    public static string KeyOf(EffectId effect, int run) => KeyOf(effect.ToString(), run);

    /// <summary>What the record of a command makes superfluous.</summary>
    public static IReadOnlyList<string> SettledBy(ExecutionCommand command) =>
        command is SettleEffect { Run: > 0 } settle ? [KeyOf(settle.Effect, settle.Run)] : [];

    /// <summary>An outcome as it is put aside: <c>{"result": ...}</c> or <c>{"failure": {...}}</c>, a large result by reference.</summary>
    public static byte[] Write(EffectOutcome outcome) => JsonSerializer.SerializeToUtf8Bytes(outcome, KernelJson.Default.EffectOutcome);

    /// <summary>Reads it again.</summary>
    public static EffectOutcome Read(byte[] stored) => JsonSerializer.Deserialize(stored, KernelJson.Default.EffectOutcome)!;

    private static string KeyOf(string effect, int run) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{effect}.{run}");
}
