using System.Text;

namespace Omium.Kernel.Resources;

/// <summary>
/// Unicode Normalization Form C (UAX #15): one name, however its accents were typed. Own code, because the runtime normalises nothing but ASCII
/// where it runs without the system's culture data, as Omium does: answers must not depend on what a machine has installed.
/// </summary>
internal static class CanonicalComposition
{
    private const int SBase = 0xAC00, LBase = 0x1100, VBase = 0x1161, TBase = 0x11A7, LCount = 19, VCount = 21, TCount = 28, SCount = LCount * VCount * TCount;
    private static readonly Dictionary<int, (int First, int Second)> Decompositions = [];
    private static readonly Dictionary<(int First, int Second), int> Compositions = [];
    private static readonly Dictionary<int, byte> Classes = [];

    static CanonicalComposition()
    {
        foreach (var (composed, first, second) in Triples(UnicodeTables.Composed))
        {
            Decompositions[composed] = (first, second);
            Compositions[(first, second)] = composed;
        }

        foreach (var (composed, first, second) in Triples(UnicodeTables.Excluded))
        {
            Decompositions[composed] = (first, second);
        }

        foreach (var (first, last, combiningClass) in Triples(UnicodeTables.Classes))
        {
            for (var character = first; character <= last; character++)
            {
                Classes[character] = (byte)combiningClass;
            }
        }
    }

    /// <summary>The text in Form C. The text holds whole surrogate pairs only.</summary>
    public static string Normalize(string text)
    {
        if (Ascii.IsValid(text))
        {
            return text;
        }

        var characters = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, characters);
        }

        Order(characters);
        Compose(characters);
        var normal = new StringBuilder(text.Length);
        foreach (var character in characters)
        {
            normal.Append(char.ConvertFromUtf32(character));
        }

        return normal.ToString();
    }

    private static void Decompose(int character, List<int> into)
    {
        var syllable = character - SBase;
        if (syllable is >= 0 and < SCount)
        {
            into.Add(LBase + (syllable / (VCount * TCount)));
            into.Add(VBase + (syllable % (VCount * TCount) / TCount));
            if (syllable % TCount != 0)
            {
                into.Add(TBase + (syllable % TCount));
            }
        }
        else if (Decompositions.TryGetValue(character, out var parts))
        {
            Decompose(parts.First, into);
            if (parts.Second != 0)
            {
                Decompose(parts.Second, into);
            }
        }
        else
        {
            into.Add(character);
        }
    }

    /// <summary>Marks on one character stand in the order of their classes; marks of one class stay as they were typed.</summary>
    private static void Order(List<int> characters)
    {
        for (var at = 1; at < characters.Count; at++)
        {
            var moved = characters[at];
            var place = at;
            while (ClassOf(moved) != 0 && place > 0 && ClassOf(characters[place - 1]) > ClassOf(moved))
            {
                characters[place] = characters[place - 1];
                place--;
            }

            characters[place] = moved;
        }
    }

    private static void Compose(List<int> characters)
    {
        var (starter, length, lastClass) = (-1, 0, 0);
        foreach (var character in characters.ToArray())
        {
            var combiningClass = ClassOf(character);
            var isBlocked = starter >= 0 && length - 1 > starter && (lastClass >= combiningClass || lastClass == 0);
            if (starter >= 0 && !isBlocked && TryCompose(characters[starter], character, out var composed))
            {
                characters[starter] = composed;
                continue;
            }

            if (combiningClass == 0)
            {
                starter = length;
            }

            lastClass = combiningClass;
            characters[length++] = character;
        }

        characters.RemoveRange(length, characters.Count - length);
    }

    private static bool TryCompose(int first, int second, out int composed)
    {
        if (first is >= LBase and < LBase + LCount && second is >= VBase and < VBase + VCount)
        {
            composed = SBase + ((((first - LBase) * VCount) + (second - VBase)) * TCount);
            return true;
        }

        if (first is >= SBase and < SBase + SCount && (first - SBase) % TCount == 0 && second is > TBase and < TBase + TCount)
        {
            composed = first + (second - TBase);
            return true;
        }

        return Compositions.TryGetValue((first, second), out composed);
    }

    private static byte ClassOf(int character) => Classes.GetValueOrDefault(character);

    private static IEnumerable<(int, int, int)> Triples(string table)
    {
        var triple = new int[3];
        var at = 0;
        foreach (var rune in table.EnumerateRunes())
        {
            triple[at++] = rune.Value;
            if (at == 3)
            {
                yield return (triple[0], triple[1], triple[2]);
                at = 0;
            }
        }
    }
}
