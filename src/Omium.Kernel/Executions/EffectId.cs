using System.Globalization;

namespace Omium.Kernel.Executions;

/// <summary>
/// The stable name of an effect inside its stream: <c>step~visit~attempt</c>, then <c>~m{turn}</c> for a model's turn, <c>~c{n}</c> for a call
/// (the n-th of the attempt, from 1), <c>~v</c> behind a call for its verify probe, <c>~u</c> for its compensation; <c>~r</c> for the run of a function
/// step. Notifications are <c>notify~{n}</c>, timers <c>timer</c>. Outside the stream the execution id and a slash stand before it.
/// </summary>
public readonly record struct EffectId(string Step, int Visit, int Attempt, char Part, int Number, char Sub)
{
    /// <summary>A model's turn.</summary>
    public static EffectId Model(VisitKey visit, int attempt, int turn) => new(visit.Step, visit.Visit, attempt, 'm', turn, '\0');

    /// <summary>The n-th call of an attempt.</summary>
    public static EffectId Call(VisitKey visit, int attempt, int number) => new(visit.Step, visit.Visit, attempt, 'c', number, '\0');

    /// <summary>The visit.</summary>
    public VisitKey Key => new(Step, Visit);

    /// <summary>The call a probe or compensation belongs to.</summary>
    public EffectId WithoutSub => this with { Sub = '\0' };

    /// <summary>Reads an id; false when it is none.</summary>
    public static bool TryParse(string text, out EffectId id)
    {
        id = default;
        var parts = text.Split('~');
        if (parts.Length is < 4 or > 5 || !TryNumber(parts[1], out var visit) || !TryNumber(parts[2], out var attempt) || parts[3].Length < 2
            || parts[3][0] is not ('m' or 'c') || !TryNumber(parts[3][1..], out var number))
        {
            return false;
        }

        if (parts.Length == 5 && parts[4] is not ("v" or "u"))
        {
            return false;
        }

        id = new EffectId(parts[0], visit, attempt, parts[3][0], number, parts.Length == 5 ? parts[4][0] : '\0');
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Sub == '\0'
        ? string.Create(CultureInfo.InvariantCulture, $"{Step}~{Visit}~{Attempt}~{Part}{Number}")
        : string.Create(CultureInfo.InvariantCulture, $"{Step}~{Visit}~{Attempt}~{Part}{Number}~{Sub}");

    private static bool TryNumber(string text, out int value) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value > 0;
}
