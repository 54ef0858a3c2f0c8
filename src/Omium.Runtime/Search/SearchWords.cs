using System.Text;

namespace Omium.Runtime.Search;

/// <summary>A text taken apart into the words it is found by: runs of letters and digits (Unicode), in lower case.</summary>
public static class SearchWords
{
    /// <summary>What is longer is cut to this many characters, when it is stored and when it is asked for alike.</summary>
    public const int LengthMax = 64;

    /// <summary>Distinct words in the order of their first place, at most <paramref name="countMax"/>.</summary>
    public static IReadOnlyList<string> Of(string text, int countMax)
    {
        ArgumentNullException.ThrowIfNull(text);
        var words = new List<string>();
        var word = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsLetterOrDigit(rune))
            {
                word.Append(Rune.ToLowerInvariant(rune).ToString());
            }
            else
            {
                Take(words, word);
            }

            if (words.Count == countMax)
            {
                return words;
            }
        }

        Take(words, word);
        return words;
    }

    private static void Take(List<string> words, StringBuilder word)
    {
        if (word.Length == 0)
        {
            return;
        }

        var text = word.ToString(0, Math.Min(word.Length, LengthMax));
        word.Clear();
        if (!words.Contains(text))
        {
            words.Add(text);
        }
    }
}
