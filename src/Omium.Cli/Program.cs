System.Console.WriteLine("omium");
