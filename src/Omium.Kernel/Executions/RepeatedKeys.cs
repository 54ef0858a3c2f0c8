using System.Globalization;

namespace Omium.Kernel.Executions;

/// <summary>
/// Declared idempotency keys of calls that are made again after they were undone: <c>order-7</c>, then <c>order-7~again2</c>. With the old key the
/// receiver would do nothing.
/// </summary>
internal static class RepeatedKeys
{
    private const string AgainMark = "~again";

    /// <summary>The key of a call that was undone this often before.</summary>
    public static string Of(string declared, int undone) =>
        undone == 0 ? declared : string.Create(CultureInfo.InvariantCulture, $"{declared}{AgainMark}{undone + 1}");

    /// <summary>The key as the spec declares it.</summary>
    public static string Declared(string key)
    {
        var at = key.LastIndexOf(AgainMark, StringComparison.Ordinal);
        return at > 0 && at + AgainMark.Length < key.Length && key.AsSpan(at + AgainMark.Length).IndexOfAnyExceptInRange('0', '9') < 0 ? key[..at] : key;
    }
}
